using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>What one counter of one app has counted since the look began.</summary>
internal sealed class Counted : IDisposable
{
    private readonly MeterListener listener = new();
    private long total;

    public Counted(LoyaltyApp app, string counter)
    {
        var meter = app.Services.GetRequiredService<Meter>();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter) && instrument.Name == counter)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref total, measurement));
        listener.Start();
    }

    public long Total => Interlocked.Read(ref total);

    public void Dispose() => listener.Dispose();
}
