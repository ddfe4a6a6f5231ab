using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace LoyaltyService.Configuration;

/// <summary>Reads <c>name:scope[+scope]:sha256-hex</c>, separated by commas. Errors name entries by position, because an entry may hold a secret instead of its hash.</summary>
internal static class ApiKeyParser
{
    // A channel has one key, or two during a rotation; a request without a match compares all of them.
    private const int MaxEntries = 1000;
    private const int MaxNameLength = 64;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private static readonly string HashOfNothing = Convert.ToHexString(SHA256.HashData([]));

    /// <summary>Total: any text yields keys or errors, never an exception.</summary>
    public static Parsed<IReadOnlyList<ApiKey>> Parse(string text)
    {
        var entries = text.Split(',');
        if (entries.Length > MaxEntries)
            return new ParseError(string.Create(CultureInfo.InvariantCulture, $"must have at most {MaxEntries} entries"));

        var keys = new List<ApiKey>();
        var problems = new List<ParseError>();
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var position = 1; position <= entries.Length; position++)
        {
            var parsed = ParseEntry(entries[position - 1].Trim());
            if (!parsed.Succeeded)
                problems.AddRange(parsed.Problems.Select(problem => At(position, problem.Description)));
            else if (!positions.TryAdd(Convert.ToHexString(parsed.Value.SecretSha256), position))
                problems.Add(At(position, string.Create(CultureInfo.InvariantCulture,
                    $"must have a secret of its own, but its hash is that of entry {positions[Convert.ToHexString(parsed.Value.SecretSha256)]}")));
            else
                keys.Add(parsed.Value);
        }

        return problems.Count == 0 ? new Parsed<IReadOnlyList<ApiKey>>(keys) : new Parsed<IReadOnlyList<ApiKey>>(problems);
    }

    private static Parsed<ApiKey> ParseEntry(string entry)
    {
        if (entry.Split(':') is not [var client, var scopeNames, var hash])
            return new ParseError("must have the form name:scope[+scope]:sha256-of-secret-in-hex");
        if (client.Length is 0 or > MaxNameLength || client.AsSpan().ContainsAnyExcept(NameCharacters))
            return new ParseError("must have a name of 1 to 64 letters, digits, dots, underscores and hyphens");

        var scopes = ApiScopes.None;
        foreach (var name in scopeNames.Split('+'))
        {
            var scope = Scope(name);
            if (scope == ApiScopes.None)
                return new ParseError("must have loyalty, ops or loyalty+ops as its scope");
            scopes |= scope;
        }

        if (hash.Length != 2 * SHA256.HashSizeInBytes || !hash.All(char.IsAsciiHexDigit))
            return new ParseError("must end in a SHA-256 hash of 64 hexadecimal digits, not in the secret itself");
        if (hash.Equals(HashOfNothing, StringComparison.OrdinalIgnoreCase))
            return new ParseError("must not have the hash of an empty secret");
        return new ApiKey(client, scopes, Convert.FromHexString(hash));
    }

    private static ApiScopes Scope(string name) => name switch
    {
        "loyalty" => ApiScopes.Loyalty,
        "ops" => ApiScopes.Ops,
        _ => ApiScopes.None,
    };

    private static ParseError At(int position, string problem) =>
        new(string.Create(CultureInfo.InvariantCulture, $"entry {position} {problem}"));
}
