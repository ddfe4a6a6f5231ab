using System.Globalization;

namespace LoyaltyService.Load;

/// <summary>The load, its duration, and the expected statuses.</summary>
internal sealed record LoadOptions(Uri[] Addresses, int Tills, TimeSpan Duration, TimeSpan WarmUp, double Rate, string[] Steps, int[] Expected, string? Key)
{
    public const string Usage = """
        usage: LoyaltyService.Load ADDRESS [--tills 32] [--seconds 20] [--warm-up 0] [--rate 0] [--steps identify,calculate,finalize] [--expect 200] [--key SECRET] [--also ADDRESS]

          --warm-up seconds of the same load before the measurement
          --rate    sales per second, started on time even if earlier ones are still running; 0: each till starts its next sale at once
          --key     the API key (X-Api-Key)
          --also    a second replica, which every other till uses
          --expect  the expected statuses; any other one makes the exit code 1
        """;

    public static LoadOptions? Parse(string[] arguments)
    {
        if (arguments is not [var address, .. var rest] || !Uri.TryCreate(address, UriKind.Absolute, out var uri) || rest.Length % 2 != 0)
            return null;
        var values = rest.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        var options = new LoadOptions(
            values.TryGetValue("--also", out var also) ? [uri, new Uri(also)] : [uri],
            int.Parse(values.GetValueOrDefault("--tills", "32"), CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds(double.Parse(values.GetValueOrDefault("--seconds", "20"), CultureInfo.InvariantCulture)),
            TimeSpan.FromSeconds(double.Parse(values.GetValueOrDefault("--warm-up", "0"), CultureInfo.InvariantCulture)),
            double.Parse(values.GetValueOrDefault("--rate", "0"), CultureInfo.InvariantCulture),
            values.GetValueOrDefault("--steps", "identify,calculate,finalize").Split(','),
            [.. values.GetValueOrDefault("--expect", "200").Split(',').Select(int.Parse)],
            values.GetValueOrDefault("--key"));
        return values.Keys.All(key => key is "--tills" or "--seconds" or "--warm-up" or "--rate" or "--steps" or "--expect" or "--key" or "--also") ? options : null;
    }
}
