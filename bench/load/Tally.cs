using System.Collections.Concurrent;

namespace LoyaltyService.Load;

/// <summary>Counts the responses of a run by status and records their latencies.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<(string Operation, int Status), int> statuses = new();
    private readonly ConcurrentDictionary<string, ConcurrentBag<double>> latencies = new();
    private int sales;

    public void Sold() => Interlocked.Increment(ref sales);

    public void Answered(string operation, int status, TimeSpan took)
    {
        latencies.GetOrAdd(operation, static _ => []).Add(took.TotalMilliseconds);
        statuses.AddOrUpdate((operation, status), 1, static (_, count) => count + 1);
    }

    public bool IsAsExpected(LoadOptions options) => statuses.Keys.All(key => options.Expected.Contains(key.Status));

    public void Print(LoadOptions options, TimeSpan elapsed)
    {
        var load = options.Rate > 0 ? $"{options.Rate} sales/s asked for" : $"{options.Tills} tills";
        Console.WriteLine($"{load}, {elapsed.TotalSeconds:F1} s: {sales} sales, {sales / elapsed.TotalSeconds:F0} sales/s");
        foreach (var (operation, times) in latencies.OrderBy(entry => entry.Key))
        {
            var sorted = times.Order().ToArray();
            Console.WriteLine($"  {operation,-18} p50 {At(sorted, 0.50):F1} ms   p99 {At(sorted, 0.99):F1} ms   p99.9 {At(sorted, 0.999):F1} ms   max {sorted[^1]:F1} ms");
        }

        foreach (var (key, count) in statuses.OrderBy(entry => entry.Key))
            Console.WriteLine($"  {key.Operation,-18} {key.Status}: {count}");
    }

    private static double At(double[] sorted, double quantile) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];
}
