namespace LoyaltyService.Configuration;

/// <summary>Where the data is kept. The forms are described in docs/configuration.md.</summary>
internal abstract record DatabaseUrl
{
    /// <summary>Total: any text gives a URL or a problem, never an exception.</summary>
    public static Parsed<DatabaseUrl> Parse(string text)
    {
        if (SchemeSplit.After(text, "postgresql://", "postgres://") is { } server)
            return PostgresUrlParser.Parse(server);
        if (SchemeSplit.After(text, "sqlite:") is { } path)
            return SqliteUrl.ParsePath(path);
        return new ParseError("must begin with postgresql:// or sqlite:");
    }
}
