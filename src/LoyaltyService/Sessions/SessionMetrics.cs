using System.Diagnostics.Metrics;
using LoyaltyService.Observability;

namespace LoyaltyService.Sessions;

internal sealed class SessionMetrics(Meter meter) : IFeatureMetrics
{
    private readonly Counter<long> created = meter.Counter("sessions_created_count", "Sessions that were created.");
    private readonly Counter<long> finalized = meter.Counter("sessions_finalized_count", "Sessions that were finalized.");
    private readonly Counter<long> expired = meter.Counter("session_expiry_count", "Sessions that expired before they were finalized.");
    private readonly Counter<long> earned = meter.Counter("points_earned_total", "Points that PDI gave for finalized sessions.");
    private readonly Counter<long> redeemed = meter.Counter("points_redeemed_total", "Points that were redeemed by finalized sessions.");
    private readonly Counter<long> estimateDifferences = meter.Counter(
        "loyalty_estimate_differences", "Sales for which PDI gave other points than had been estimated without it.");

    public void SessionCreated() => created.Add(1);

    public void SessionFinalized(long earnedPoints, long redeemedPoints)
    {
        finalized.Add(1);
        earned.Add(earnedPoints);
        redeemed.Add(redeemedPoints);
    }

    public void SessionsExpired(int count) => expired.Add(count);

    public void EstimateDiffered() => estimateDifferences.Add(1);

    public void ShowAtZero()
    {
        foreach (var counter in new[] { created, finalized, expired, earned, redeemed, estimateDifferences })
            counter.Add(0);
    }
}
