using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Server;
using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Queue;

public sealed class BudgetBoundsTests
{
    [Fact]
    public async Task The_default_limits_fit_together()
    {
        var bounds = Bounds();

        Assert.Empty(bounds.Broken());
        await bounds.StartAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_budget_that_outlasts_a_lease_stops_the_start()
    {
        var bounds = Bounds(new PdiOptions { FinalizeBudget = TimeSpan.FromSeconds(14) });

        var stopped = await Assert.ThrowsAsync<InvalidOperationException>(() => bounds.StartAsync(CancellationToken.None));

        Assert.All(
            ["OwnedByRequest is 00:00:12, but must be at least 00:00:16", "PdiWorkLimits.Lease", "RepeatLimits.KeyLease", "PdiOptions.BreakerProbeLease"],
            bound => Assert.Contains(bound, stopped.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Each_limit_has_its_own_bound()
    {
        Assert.Contains("SessionLimits.IdentifyHold", Assert.Single(Bounds(sessions: new() { IdentifyHold = TimeSpan.FromSeconds(6) }).Broken()), StringComparison.Ordinal);
        Assert.Contains("RepeatLimits.KeyLease", Assert.Single(Bounds(repeats: new() { KeyLease = TimeSpan.FromSeconds(11) }).Broken()), StringComparison.Ordinal);
        Assert.Contains("PdiWorkLimits.Lease", Assert.Single(Bounds(work: new() { Lease = TimeSpan.FromSeconds(15) }).Broken()), StringComparison.Ordinal);
        Assert.Contains("PdiWorkLimits.LongestPause", Assert.Single(Bounds(work: new() { LongestPause = TimeSpan.FromSeconds(1) }).Broken()), StringComparison.Ordinal);
        Assert.Contains("tries for a token", Assert.Single(Bounds(new() { TokenTries = 5 }).Broken()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_has_time_for_a_repeat_the_database_and_PDI()
    {
        var database = TimeSpan.FromSeconds(5);

        Assert.True(new ServerLimits().RequestTime > new RepeatLimits().Wait + database + new PdiOptions().FinalizeBudget);
    }

    private static BudgetBounds Bounds(PdiOptions? pdi = null, SessionLimits? sessions = null, RepeatLimits? repeats = null, PdiWorkLimits? work = null)
    {
        pdi ??= new PdiOptions();
        // A kind's budget needs only the options.
        return new BudgetBounds(
            pdi, sessions ?? new(), repeats ?? new(), work ?? new(),
            [new OwedIdentify(null!, null!, pdi, null!), new OwedFinalize(null!, null!, pdi, null!, null!)]);
    }
}
