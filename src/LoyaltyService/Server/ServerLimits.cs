namespace LoyaltyService.Server;

/// <summary>What one replica accepts from callers. Each limit ensures that no caller can starve the others.</summary>
internal sealed class ServerLimits
{
    /// <summary>contract: a body is at most 64 KiB.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    /// <summary>An idle connection costs some kilobytes: 40 MB at most. 2,000 idle ones leave most of it free.</summary>
    public int MaxConnections { get; init; } = 5000;

    /// <summary>
    /// The most connections of one address (an IPv6 network of 64 bits; trusted proxies are exempt), so that no client holds them all. As many as concurrent
    /// requests, so that a load balancer that is not configured as a proxy has enough.
    /// </summary>
    public int MaxConnectionsOfAddress { get; init; } = 1000;

    /// <summary>
    /// Each holds a body of at most 64 KiB and about as much of the service's own: 128 MB, a quarter of the memory in the deployment. It is also three seconds of a
    /// third of the global limit, the time PDI may hang before the breaker opens.
    /// </summary>
    public int MaxRequestsInWork { get; init; } = 1000;

    /// <summary>Names and values of all headers; a browser's are under 2 KiB, plus a bearer token.</summary>
    public int MaxHeaderBytes { get; init; } = 16 * 1024;

    public int MaxHeaders { get; init; } = 64;

    /// <summary>The longest path is a session's; an operator's query contains a page cursor.</summary>
    public int MaxRequestLineBytes { get; init; } = 8 * 1024;

    /// <summary>From the first byte of a request to the end of its headers.</summary>
    public TimeSpan HeaderTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longer than load balancers keep an idle connection (usually 60 s): the side that would reuse it must close it first.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The lowest average rate, in bytes a second, of sending a body or reading a response, after <see cref="SlowGrace"/>.</summary>
    public double LeastBytesPerSecond { get; init; } = 1024;

    public TimeSpan SlowGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The time for a request after its headers. The longest is a finalize that waits 5 s for an equal one, 5 s for the database and 10 s for PDI; the rest is
    /// for a slow body.
    /// </summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(30);
}
