using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.RateLimits;

/// <summary>What is limited; each is a label of the metric too.</summary>
internal enum LimitKind
{
    Global,
    Customer,
    Address,
    Client,
}

/// <summary>So many requests in so long: a bucket that holds all of them and refills evenly.</summary>
internal sealed record RateLimit(LimitKind Kind, int Requests, TimeSpan Window);

/// <summary>The bucket of one customer, one address, one client, or of all together.</summary>
internal readonly record struct BucketKey(LimitKind Kind, Guid Id);

/// <summary>One of the buckets that a request needs a token of.</summary>
internal readonly record struct Demand(BucketKey Key, RateLimit Limit);

/// <summary>Who decided, as a label.</summary>
internal enum DecidedBy
{
    /// <summary>What this replica knew or had.</summary>
    Memory,

    /// <summary>Redis was asked.</summary>
    Redis,

    /// <summary>Redis could not be asked.</summary>
    Fallback,
}

/// <param name="RefusedBy">The limit that is used up; null if the request may go on.</param>
/// <param name="RetryAfter">When there will be a token again.</param>
internal readonly record struct Decision(LimitKind? RefusedBy, TimeSpan RetryAfter, DecidedBy By);

/// <summary>The limits in use.</summary>
internal sealed class RateLimitOptions(Settings settings)
{
    /// <summary>Of every limit this part is the replicas' own, divided evenly among them; they spend it without asking Redis. It is also what a limit may be missed by.</summary>
    public const double LocalPart = 0.04;

    /// <summary>What is taken from Redis in advance is good for this part of the window: what flows back meanwhile is all that can be let through too much.</summary>
    public const double LeasePart = 0.04;

    /// <summary>The most tokens that are taken in advance, as a part of the bucket: what a replica holds, the others do not have.</summary>
    public const double LargestLease = 0.02;

    /// <summary>As many replicas as share the limits before Redis has said: the brief's least number in production.</summary>
    public const int ReplicasAtFirst = 3;

    /// <summary>The buckets that a replica remembers, some 200 bytes each. Those that come on top share one.</summary>
    public const int MaxBuckets = 100_000;

    /// <summary>Null is off, as for the others.</summary>
    public RateLimit? Global { get; } = Of(LimitKind.Global, settings.RateLimitGlobalPerSecond, TimeSpan.FromSeconds(1));

    public RateLimit? Customer { get; } = Of(LimitKind.Customer, settings.RateLimitCustomerPerSecond, TimeSpan.FromSeconds(1));

    public RateLimit? Address { get; } = Of(LimitKind.Address, settings.RateLimitIpPerMinute, TimeSpan.FromMinutes(1));

    /// <summary>By the client's name; what is there stands in the place of <see cref="Address"/>.</summary>
    public IReadOnlyDictionary<string, RateLimit?> Clients { get; } = settings.RateLimitClients.ToDictionary(
        client => client.Key, client => Of(LimitKind.Client, client.Value, TimeSpan.FromMinutes(1)), StringComparer.Ordinal);

    public bool IsOff => Global is null && Customer is null && Address is null && Clients.Values.All(limit => limit is null);

    private static RateLimit? Of(LimitKind kind, int requests, TimeSpan window) => requests == 0 ? null : new(kind, requests, window);
}
