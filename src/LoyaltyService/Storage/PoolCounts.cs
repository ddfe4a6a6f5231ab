using System.Diagnostics.Metrics;

namespace LoyaltyService.Storage;

/// <summary>How many connections a pool has. Npgsql tells it to listeners of its meter alone.</summary>
internal sealed class PoolCounts : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly string pool;
    private long idle;
    private long used;

    /// <param name="pool">The data source's name.</param>
    public PoolCounts(string pool)
    {
        this.pool = pool;
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "Npgsql", Name: "db.client.connection.count" })
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, count, labels, _) => Take(count, labels));
        listener.Start();
    }

    public (long Idle, long Used) Read()
    {
        listener.RecordObservableInstruments();
        return (idle, used);
    }

    public void Dispose() => listener.Dispose();

    private void Take(int count, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var isOurs = false;
        string? state = null;
        foreach (var (key, value) in labels)
        {
            if (key == "db.client.connection.pool.name")
                isOurs = value as string == pool;
            else if (key == "db.client.connection.state")
                state = value as string;
        }

        if (isOurs && state == "idle")
            idle = count;
        else if (isOurs && state == "used")
            used = count;
    }
}
