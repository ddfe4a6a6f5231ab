using System.Globalization;

namespace LoyaltyService.Configuration;

/// <summary>
/// Reads <c>client:requests-a-minute</c>, separated by commas. A client is named as the audit names it: a name of API_KEYS, or a token's
/// client with its prefix, so that a key and a token's client of one name have a limit each.
/// </summary>
internal static class ClientLimits
{
    private const int MaxEntries = 1000;

    private const string Form =
        "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client";

    /// <summary>Total: any text yields limits or errors, never an exception. Does not check that the client exists: a token issuer may know it.</summary>
    public static Parsed<IReadOnlyDictionary<string, int>> Parse(string text)
    {
        var entries = text.Split(',');
        if (entries.Length > MaxEntries)
            return new ParseError(string.Create(CultureInfo.InvariantCulture, $"must have at most {MaxEntries} entries"));

        var limits = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in entries.Select(static entry => entry.Trim()))
        {
            // A client_id may contain colons; the number does not.
            var end = entry.LastIndexOf(':');
            if (end < 0 || !IsClient(entry[..end]) || !int.TryParse(entry.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var perMinute))
                return new ParseError(Form);
            if (!limits.TryAdd(entry[..end], perMinute))
                return new ParseError("must name each client once");
        }

        return new Parsed<IReadOnlyDictionary<string, int>>(limits);
    }

    private static bool IsClient(string name) =>
        IsOfToken(name, TokenClients.ClientPrefix) || IsOfToken(name, TokenClients.SubjectPrefix) || (name.Length > 0 && !name.Contains(':'));

    private static bool IsOfToken(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length;
}
