namespace LoyaltyService.Configuration;

/// <summary>Where replay answers and rate buckets are kept. The forms are described in docs/configuration.md.</summary>
internal abstract record RedisUrl
{
    /// <summary>Total: any text gives a URL or a problem, never an exception.</summary>
    public static Parsed<RedisUrl> Parse(string text)
    {
        if (SchemeSplit.After(text, "redis://") is { } plain)
            return RedisServerUrl.ParseServer(plain, ssl: false);
        if (SchemeSplit.After(text, "rediss://") is { } secured)
            return RedisServerUrl.ParseServer(secured, ssl: true);
        if (text.Equals("memory:", StringComparison.OrdinalIgnoreCase))
            return new MemoryUrl();
        return new ParseError("must begin with redis:// or rediss://, or be memory:");
    }
}

/// <summary>The process's own memory: nothing is shared between replicas, and nothing survives a restart.</summary>
internal sealed record MemoryUrl : RedisUrl
{
    public override string ToString() => "memory:";
}
