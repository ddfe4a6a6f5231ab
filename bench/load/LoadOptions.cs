using System.Globalization;

namespace LoyaltyService.Load;

/// <summary>What load, for how long, and which answers are right.</summary>
internal sealed record LoadOptions(Uri[] Addresses, int Tills, TimeSpan Duration, TimeSpan WarmUp, double Rate, string[] Steps, int[] Expected, string? Key)
{
    public const string Usage = """
        usage: LoyaltyService.Load ADDRESS [--tills 32] [--seconds 20] [--warm-up 0] [--rate 0] [--steps identify,calculate,finalize] [--expect 200] [--key SECRET] [--also ADDRESS]

          --warm-up seconds before these, of the same load, which do not count
          --rate    sales a second, started on time whatever became of those before; 0: each till sells as fast as it is answered
          --key     the caller's secret (X-Api-Key)
          --also    a second replica: every other till sells there
          --expect  the statuses that are right; the exit code is 1 if there was another one
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
