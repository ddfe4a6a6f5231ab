using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// The sums that must hold between PDI's budgets and the leases around its calls, checked at start. A lease that ends before its call does lets a
/// second caller make the same call.
/// </summary>
internal sealed class BudgetBounds(
    PdiOptions pdi, SessionLimits sessions, RepeatLimits repeats, PdiWorkLimits work, IEnumerable<IOwedKind> kinds) : IHostedService
{
    // To store PDI's answer, on a slow database.
    private static readonly TimeSpan RoomToStore = TimeSpan.FromSeconds(2);

    public Task StartAsync(CancellationToken cancellationToken) => Broken().ToList() is { Count: > 0 } broken
        ? throw new InvalidOperationException("The service's limits contradict each other:\n" + string.Join('\n', broken))
        : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>One text for each bound that does not hold, with both values.</summary>
    public IEnumerable<string> Broken()
    {
        TimeSpan[] budgets = [pdi.IdentifyBudget, pdi.CalculateBudget, pdi.FinalizeBudget, pdi.StatusBudget];
        var owed = kinds.Aggregate(TimeSpan.Zero, static (sum, kind) => sum + kind.Budget);
        var pauses = pdi.TokenFirstBackoff * (Math.Pow(2, pdi.TokenTries - 1) - 1);
        (string Name, TimeSpan Value, string Sum, TimeSpan Least)[] bounds =
        [
            ("SessionLimits.IdentifyHold", sessions.IdentifyHold, "identify's budget and 2 s", pdi.IdentifyBudget + RoomToStore),
            ("PdiWorkLimits.OwnedByRequest", work.OwnedByRequest, "finalize's budget and 2 s", pdi.FinalizeBudget + RoomToStore),
            ("PdiWorkLimits.Lease", work.Lease, "the budgets of all owed calls and 2 s for each", owed + kinds.Count() * RoomToStore),
            ("RepeatLimits.KeyLease", repeats.KeyLease, "the longest budget and 2 s", budgets.Max() + RoomToStore),
            ("PdiOptions.BreakerProbeLease", pdi.BreakerProbeLease, "the longest budget", budgets.Max()),
            ("PdiOptions.IdentifyBudget", pdi.IdentifyBudget, "all tries for a token and their pauses", pdi.TokenTries * pdi.TokenTryTimeout + pauses),
            ("PdiWorkLimits.LongestPause", work.LongestPause, "the first pause", work.FirstPause),
        ];
        return bounds.Where(static bound => bound.Value < bound.Least)
            .Select(static bound => $"{bound.Name} is {bound.Value:c}, but must be at least {bound.Least:c} ({bound.Sum}).");
    }
}
