using System.Globalization;

namespace LoyaltyService.Configuration;

/// <summary>Reads <c>name:requests-a-minute</c>, separated by commas.</summary>
internal static class ClientLimits
{
    private const int MaxEntries = 1000;

    /// <summary>Total: any text gives limits or problems, never an exception. That a client exists is not checked: an issuer of tokens may know it.</summary>
    public static Parsed<IReadOnlyDictionary<string, int>> Parse(string text)
    {
        var entries = text.Split(',');
        if (entries.Length > MaxEntries)
            return new Problem(string.Create(CultureInfo.InvariantCulture, $"must have at most {MaxEntries} entries"));

        var limits = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.Trim().Split(':') is not [{ Length: > 0 } client, var number]
                || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var perMinute))
                return new Problem("must have entries of the form name:requests-a-minute, such as delivery:6000");
            if (!limits.TryAdd(client, perMinute))
                return new Problem("must name each client once");
        }

        return new Parsed<IReadOnlyDictionary<string, int>>(limits);
    }
}
