namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>Several replicas on one database, which end with the test, however it ends. A test may put another one in the place of one.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly ServiceProcess[] replicas;

    private Fleet(ServiceProcess[] replicas) => this.replicas = replicas;

    public int Size => replicas.Length;

    public ServiceProcess this[int number]
    {
        get => replicas[number];
        set => replicas[number] = value;
    }

    public static async Task<Fleet> StartAsync(int size, TestDatabase database, Uri pdi) =>
        new(await Task.WhenAll(Enumerable.Range(0, size).Select(_ => ServiceProcess.StartServiceAsync(database, pdi))));

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in replicas)
            await replica.DisposeAsync();
    }
}
