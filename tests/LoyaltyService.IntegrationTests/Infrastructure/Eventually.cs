using System.Diagnostics;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>Waits for what another thread or process does: looks often, and gives up at a deadline that a busy machine keeps too.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    public static async Task<T> GetAsync<T>(Func<Task<T>> look, Func<T, bool> isDone, string what, TimeSpan? within = null)
    {
        var deadline = within ?? TimeSpan.FromSeconds(60);
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (true)
        {
            var seen = await look();
            if (isDone(seen))
                return seen;
            Assert.True(watch.Elapsed < deadline, $"Not within {deadline.TotalSeconds} s: {what}. Last seen: {seen}");
            await timer.WaitForNextTickAsync();
        }
    }

    public static Task BecomesTrueAsync(Func<Task<bool>> look, string what, TimeSpan? within = null) =>
        GetAsync(look, static seen => seen, what, within);
}
