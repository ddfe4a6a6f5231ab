namespace LoyaltyService.Storage;

/// <summary>The bounds of one replica's pool of connections.</summary>
internal sealed class PostgresLimits
{
    /// <summary>brief: at least 5 connections stay open, so that a burst does not wait for new server processes, …</summary>
    public int MinConnections { get; init; } = 5;

    /// <summary>… and at most 20.</summary>
    public int MaxConnections { get; init; } = 20;

    /// <summary>brief: a connection is reused for at most 30 minutes.</summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromMinutes(30);
}
