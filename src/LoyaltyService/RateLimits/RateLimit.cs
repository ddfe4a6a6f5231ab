using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.RateLimits;

/// <summary>What is limited. Also a label of the metrics.</summary>
internal enum LimitKind
{
    Global,
    Customer,
    Address,
    Client,
}

/// <summary>A number of requests in a window: a bucket that holds them all and refills evenly.</summary>
internal sealed record RateLimit(LimitKind Kind, int Requests, TimeSpan Window);

/// <summary>The bucket of one customer, address or client, or of all requests.</summary>
internal readonly record struct BucketKey(LimitKind Kind, Guid Id);

/// <summary>One of the buckets that a request needs a token from.</summary>
internal readonly record struct Demand(BucketKey Key, RateLimit Limit);

/// <summary>Where the decision was made. Also a label of the metrics.</summary>
internal enum DecidedBy
{
    /// <summary>In this replica, without a call to Redis.</summary>
    Memory,

    /// <summary>In Redis.</summary>
    Redis,

    /// <summary>In this replica, because Redis was away.</summary>
    Fallback,
}

/// <param name="RefusedBy">The limit that is used up; null if the request is admitted.</param>
/// <param name="RetryAfter">The time until there is a token.</param>
internal readonly record struct Decision(LimitKind? RefusedBy, TimeSpan RetryAfter, DecidedBy By);

/// <summary>The configured limits.</summary>
internal sealed class RateLimitOptions(Settings settings)
{
    /// <summary>Null is off, as for the other limits.</summary>
    public RateLimit? Global { get; } = Of(LimitKind.Global, settings.RateLimitGlobalPerSecond, TimeSpan.FromSeconds(1));

    public RateLimit? Customer { get; } = Of(LimitKind.Customer, settings.RateLimitCustomerPerSecond, TimeSpan.FromSeconds(1));

    public RateLimit? Address { get; } = Of(LimitKind.Address, settings.RateLimitIpPerMinute, TimeSpan.FromMinutes(1));

    /// <summary>By the client's name. A client listed here is not limited by <see cref="Address"/>.</summary>
    public IReadOnlyDictionary<string, RateLimit?> Clients { get; } = settings.RateLimitClients.ToDictionary(
        client => client.Key, client => Of(LimitKind.Client, client.Value, TimeSpan.FromMinutes(1)), StringComparer.Ordinal);

    public bool IsOff => Global is null && Customer is null && Address is null && Clients.Values.All(limit => limit is null);

    private static RateLimit? Of(LimitKind kind, int requests, TimeSpan window) => requests == 0 ? null : new(kind, requests, window);
}
