namespace LoyaltyService.Server;

/// <summary>What one replica takes from callers. Each bound is here so that nobody can have more of it than is left for the others.</summary>
internal sealed class ServerLimits
{
    /// <summary>contract: a body is at most 64 KiB.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    /// <summary>Idle ones cost some kilobytes each: 40 MB at the most. 2,000 that do nothing leave most of it free.</summary>
    public int MaxConnections { get; init; } = 5000;

    /// <summary>
    /// Of these, as many as one address may have (an IPv6 network of 64 bits; trusted proxies as many as there are): nobody holds them all
    /// alone. As many as requests may be in work, so that a load balancer that nobody has named as a proxy has enough too.
    /// </summary>
    public int MaxConnectionsOfAddress { get; init; } = 1000;

    /// <summary>
    /// Each holds a body of at most 64 KiB and about as much of the service's own: 128 MB, a quarter of the memory that the brief asks for.
    /// It is also three seconds of a third of the global limit, which is how long PDI may stand still before the breaker opens.
    /// </summary>
    public int MaxRequestsInWork { get; init; } = 1000;

    /// <summary>The names and values of all headers; a browser's are under 2 KiB, a bearer token is some more.</summary>
    public int MaxHeaderBytes { get; init; } = 16 * 1024;

    public int MaxHeaders { get; init; } = 64;

    /// <summary>The longest path is a session's; a query of an operator has a page's cursor in it.</summary>
    public int MaxRequestLineBytes { get; init; } = 8 * 1024;

    /// <summary>From the first byte of a request to the end of its headers.</summary>
    public TimeSpan HeaderTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longer than load balancers keep an idle connection (60 s is usual): who closes first must be the one who would use it next.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Bytes a second that a body must come with, and an answer must be taken with, on average and after <see cref="SlowGrace"/>.</summary>
    public double LeastBytesPerSecond { get; init; } = 1024;

    public TimeSpan SlowGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Everything that a request may take once its headers are there. The longest is a finalize that waits 5 s for an equal one, 5 s for the
    /// database and 10 s for PDI; the rest is for a slow body.
    /// </summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(30);
}
