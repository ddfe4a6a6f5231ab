namespace LoyaltyService.Configuration;

/// <summary>The embedded storage: one file, for one replica.</summary>
/// <param name="SqlitePath">Relative to the working directory, or absolute; taken literally, without percent-decoding.</param>
internal sealed record SqliteUrl(string SqlitePath) : DatabaseUrl
{
    public static Parsed<DatabaseUrl> ParsePath(string path)
    {
        if (path.Contains(":memory:", StringComparison.OrdinalIgnoreCase))
            return new ParseError("must name a file: sqlite::memory: would lose every session at a restart");
        if (path.StartsWith("//", StringComparison.Ordinal) || path.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            return new ParseError("must be sqlite: followed by a path, such as sqlite:data/loyalty.db or sqlite:/var/lib/loyalty/loyalty.db");
        if (string.IsNullOrWhiteSpace(path) || path.EndsWith('/'))
            return new ParseError("must name a file after sqlite:, such as sqlite:data/loyalty.db");
        if (path.Any(char.IsControl))
            return new ParseError("must not have control characters in its path");
        return new SqliteUrl(path);
    }

    public override string ToString() => "sqlite:" + SqlitePath;
}
