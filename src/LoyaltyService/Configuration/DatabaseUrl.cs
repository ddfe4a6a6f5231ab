namespace LoyaltyService.Configuration;

/// <summary>The location of the data. docs/configuration.md describes the forms.</summary>
internal abstract record DatabaseUrl
{
    /// <summary>Total: any text yields a URL or an error, never an exception.</summary>
    public static Parsed<DatabaseUrl> Parse(string text)
    {
        if (SchemeSplit.After(text, "postgresql://", "postgres://") is { } server)
            return PostgresUrlParser.Parse(server);
        if (SchemeSplit.After(text, "sqlite:") is { } path)
            return SqliteUrl.ParsePath(path);
        return new ParseError("must begin with postgresql:// or sqlite:");
    }
}
