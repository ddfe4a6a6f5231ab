using LoyaltyService.Health;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Queue;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// The connection to PostgreSQL breaks after a statement was committed and before its answer came: nobody was told, and what was stored
/// is found out by reading it again.
/// </summary>
public sealed class LostAnswerTests : IAsyncLifetime
{
    // The proxy counts statements, so only the till's own may pass it.
    private static readonly PdiWorkLimits NoWorker = new() { Poll = TimeSpan.FromHours(1) };
    private static readonly HealthLimits NoSampler = new() { SampleEvery = TimeSpan.FromHours(1) };

    private TestDatabase database = null!;
    private CuttingProxy proxy = null!;
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(Backend.Postgres);
        var server = new Uri(database.Url);
        proxy = new CuttingProxy(server.Host, server.Port);
        app = await LoyaltyApp.StartAsync(
            Backend.Postgres,
            new() { ["DATABASE_URL"] = new UriBuilder(server) { Host = "127.0.0.1", Port = proxy.Port }.Uri.AbsoluteUri, ["AUTO_MIGRATE"] = "false" },
            database: database,
            services: services => services.AddSingleton(NoWorker).AddSingleton(NoSampler));
        // The pool's first connection has business of its own, before the first statement.
        await new Sale(app).IdentifiedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await proxy.DisposeAsync();
        await database.DisposeAsync();
    }

    [Theory]
    [InlineData("identify", 1, "the session")]
    [InlineData("identify", 3, "the customer")]
    [InlineData("calculate", 2, "the rewards")]
    [InlineData("finalize", 2, "the intent")]
    [InlineData("finalize", 3, "the receipt")]
    public async Task What_was_committed_without_an_answer_is_read_again_and_the_till_gets_its_200(string operation, int statement, string stored)
    {
        var sale = new Sale(app) { CustomerId = "CUST-GOLD" };
        var before = await app.Pdi.BalanceAsync("CUST-GOLD");

        var identified = await CutAsync(operation is "identify", statement, sale.IdentifyAsync);
        sale = sale with { SessionId = identified.SessionId };
        var calculated = await CutAsync(operation is "calculate", statement, () => sale.CalculateAsync());
        var finalized = await CutAsync(operation is "finalize", statement, () => sale.FinalizeAsync());

        Assert.True(proxy.HasCut, $"The answer to storing {stored} was not cut.");
        Assert.Equal((200, 2), (identified.Status, identified.Version));
        Assert.Equal((200, 3), (calculated.Status, calculated.Version));
        Assert.Equal((200, 5), (finalized.Status, finalized.Version));
        Assert.Equal(before + 450, await app.Pdi.BalanceAsync("CUST-GOLD"));
        Assert.Equal(1, (await app.Pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
        Assert.Equal(0, await new Books(database, Backend.Postgres).CountAsync("select count(*) from pdi_work"));
    }

    [Fact]
    public async Task A_read_without_an_answer_is_a_503_and_its_repeat_goes_through()
    {
        var sale = await new Sale(app).IdentifiedAsync();

        var broken = await CutAsync(true, 1, () => sale.CalculateAsync());
        var again = await sale.CalculateAsync();

        Assert.Equal((503, "database_unavailable", true), (broken.Status, broken.Code, broken.Headers.ContainsKey("Retry-After")));
        Assert.Equal(200, again.Status);
    }

    private Task<Answer> CutAsync(bool arm, int statement, Func<Task<Answer>> call)
    {
        if (arm)
            proxy.CutStatement(statement);
        return call();
    }
}
