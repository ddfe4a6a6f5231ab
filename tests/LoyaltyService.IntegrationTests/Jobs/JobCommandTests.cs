using LoyaltyService.IntegrationTests.Faults;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Sessions;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>The command <c>LoyaltyService job</c> and its exit codes.</summary>
public sealed class JobCommandTests
{
    [Fact]
    public async Task It_lists_runs_and_refuses_with_matching_exit_codes()
    {
        await using var under = await StoreUnderTest.CreateAsync(Backend.Postgres);
        var (runs, books) = (under.Runs, new Books(under.Database, Backend.Postgres));

        var listed = await RunAsync("job");
        var unknown = await RunAsync("job", "make-coffee");
        var done = await RunAsync("job", "clear-cache");

        Assert.Equal((0, true), (listed.ExitCode, listed.Output.Contains("clear-cache         0 * * * *", StringComparison.Ordinal)));
        Assert.Equal((64, true), (unknown.ExitCode, unknown.Output.Contains("clear-cache", StringComparison.Ordinal)));
        Assert.Equal(0, done.ExitCode);
        var run = Assert.Single(await runs.LatestAsync("clear-cache", 10, Token));
        Assert.Equal(("done", true), (run.Outcome, run.ByHand));

        var held = (await runs.ClaimAsync("clear-cache", TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(5), Token))!;
        var refused = await RunAsync("job", "clear-cache");
        Assert.Equal((75, true), (refused.ExitCode, refused.Output.Contains("clear-cache is already running.", StringComparison.Ordinal)));
        await runs.EndAsync(held, done: true, error: null, Token);

        await books.ExecuteAsync("alter table idempotency_keys rename to gone");
        var failed = await RunAsync("job", "clear-cache");
        await books.ExecuteAsync("alter table gone rename to idempotency_keys");
        Assert.Equal(70, failed.ExitCode);
        Assert.Contains(await runs.LatestAsync("clear-cache", 10, Token), last => last is { ByHand: true, Outcome: "failed" });

        Task<Ran> RunAsync(params string[] words) => ServiceProcess.RunAsync(under.Database, words);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
