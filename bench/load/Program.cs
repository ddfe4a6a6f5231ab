using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using LoyaltyService.Load;

if (LoadOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(LoadOptions.Usage);
    return 64;
}

// SIGTERM ends the run early and still prints the figures.
var stopped = false;
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = stopped = true);
var tally = new Tally();
using var till = new Till(options);
if (options.WarmUp > TimeSpan.Zero)
    await RunAsync(new Tally(), options.WarmUp);
tally.Print(options, await RunAsync(tally, options.Duration));
return tally.IsAsExpected(options) ? 0 : 1;

async Task<TimeSpan> RunAsync(Tally counts, TimeSpan duration)
{
    var watch = Stopwatch.StartNew();
    if (options.Rate > 0)
        await AtARateAsync(counts, duration, watch);
    else
        await Task.WhenAll(Enumerable.Range(0, options.Tills).Select(number => EndlesslyAsync(number, counts, duration, watch)));
    return watch.Elapsed;
}

// Closed loop: each till starts its next sale when the last one has ended.
async Task EndlesslyAsync(int number, Tally counts, TimeSpan duration, Stopwatch watch)
{
    while (watch.Elapsed < duration && !stopped)
        await till.SellAsync(number, Stopwatch.GetTimestamp(), counts);
}

// Open loop: sales start on time, even if earlier ones are still running. If the driver is late, the latency still counts from the due time.
async Task AtARateAsync(Tally counts, TimeSpan duration, Stopwatch watch)
{
    var running = new ConcurrentBag<Task>();
    var total = (int)(options.Rate * duration.TotalSeconds);
    for (var number = 0; number < total && !stopped; number++)
    {
        var due = TimeSpan.FromSeconds(number / options.Rate);
        if (due - watch.Elapsed is { Ticks: > 0 } early)
            await Task.Delay(early, TimeProvider.System);
        var dueAt = Stopwatch.GetTimestamp() - (long)((watch.Elapsed - due).TotalSeconds * Stopwatch.Frequency);
        running.Add(till.SellAsync(number % options.Tills, dueAt, counts));
    }

    await Task.WhenAll(running);
}
