using System.Diagnostics.Metrics;

namespace LoyaltyService.Storage;

/// <summary>The number of connections in several pools together. Npgsql reports it only to listeners of its meter.</summary>
internal sealed class PoolCounts : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly string[] pools;
    private long idle;
    private long used;

    /// <param name="pools">The names of the data sources.</param>
    public PoolCounts(params string[] pools)
    {
        this.pools = pools;
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
        lock (listener)
        {
            (idle, used) = (0, 0);
            listener.RecordObservableInstruments();
            return (idle, used);
        }
    }

    public void Dispose() => listener.Dispose();

    private void Take(int count, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var isOurs = false;
        string? state = null;
        foreach (var (key, value) in labels)
        {
            if (key == "db.client.connection.pool.name")
                isOurs = pools.Contains(value as string);
            else if (key == "db.client.connection.state")
                state = value as string;
        }

        if (isOurs && state == "idle")
            idle += count;
        else if (isOurs && state == "used")
            used += count;
    }
}
