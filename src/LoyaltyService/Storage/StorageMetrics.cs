using System.Diagnostics.Metrics;
using LoyaltyService.Observability;

namespace LoyaltyService.Storage;

internal sealed class StorageMetrics(Meter meter) : IFeatureMetrics
{
    private readonly Counter<long> rollbacks = meter.Counter(
        "db_transaction_rollbacks", "Statements that PostgreSQL rolled back: serialization failures, deadlocks, lock timeouts.");

    public void StatementRolledBack() => rollbacks.Add(1);

    public void ShowAtZero() => rollbacks.Add(0);
}
