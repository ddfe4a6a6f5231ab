using System.Diagnostics.Metrics;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Health;

/// <summary>
/// Gauges from the last sample of <see cref="HealthSampler"/>, so a scrape never waits for a dependency.
/// </summary>
internal sealed class HealthGauges : IFeatureMetrics
{
    public HealthGauges(Meter meter, HealthSampler health, PdiHealth pdi, LogQueue log, Settings settings)
    {
        meter.CreateObservableGauge(
            "pdi_circuit_breaker_state", () => (int)pdi.Breaker, null, "PDI's circuit breaker: 0 closed, 1 half-open, 2 open.");
        meter.CreateObservableGauge(
            "db_connection_pool_size",
            () => Pair("state", ("idle", health.Last.Pool.Idle), ("used", health.Last.Pool.Used)),
            null,
            "Connections to PostgreSQL, idle and used.");
        meter.CreateObservableGauge("redis_connections_active", () => health.Last.RedisConnections, null, "Redis servers that are connected.");
        meter.CreateObservableGauge("process_memory_bytes", static () => Environment.WorkingSet, null, "Memory of the process.");
        var limit = MemoryLimit.Read();
        meter.CreateObservableGauge("loyalty_memory_limit_bytes", () => limit, null, "What the process may use: its container's limit, or the machine's memory.");
        meter.CreateObservableGauge(
            "loyalty_dependency_up",
            () => new Measurement<int>[]
            {
                new(IsUp(health.Last.Database), new Label("dependency", "database")),
                new(IsUp(health.Last.Redis), new Label("dependency", "redis")),
                new(IsUp(pdi.Look()), new Label("dependency", "pdi")),
            },
            null,
            "Whether a dependency can be used.");
        meter.CreateObservableCounter("loyalty_log_drops", () => log.Dropped, null, "Lines below a warning that the log dropped because nobody read it fast enough.");
        meter.CreateObservableGauge(
            "loyalty_queue_items",
            () => Pair("state", ("waiting", health.Last.Queue.Waiting), ("parked", health.Last.Queue.Parked)),
            null,
            "Sessions that wait for PDI, or for an operator.");
        meter.CreateObservableGauge("loyalty_queue_max_items", () => settings.QueueMaxItems, null, "How many sessions may wait for PDI: QUEUE_MAX_ITEMS.");
        meter.CreateObservableGauge(
            "loyalty_queue_oldest_seconds", () => health.Last.Queue.OldestAge.TotalSeconds, null, "How long the oldest of them has waited.");
    }

    private static int IsUp(Check check) => check.Status is CheckStatus.Down ? 0 : 1;

    private static Measurement<long>[] Pair(string label, (string Value, long Number) first, (string Value, long Number) second) =>
        [new(first.Number, new Label(label, first.Value)), new(second.Number, new Label(label, second.Value))];
}
