using LoyaltyService.Http;

namespace LoyaltyService.RateLimits;

/// <summary>A body that names the customer whose limit it counts for.</summary>
internal interface ICountsForCustomer
{
    /// <summary>The customer's id, or the session's: a session has one customer.</summary>
    string? CustomerKey();
}

/// <summary>Marks a route whose requests count for a customer.</summary>
/// <param name="Parameter">The part of the path or query that holds the session's id, where the request has no body.</param>
internal sealed record CustomerMetadata(string Parameter);

internal static class CustomerKey
{
    // The longest valid id; longer ones are refused later.
    private const int MaxLength = 64;

    public static TBuilder CountsForCustomer<TBuilder>(this TBuilder route, string parameter)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new CustomerMetadata(parameter));

    /// <returns>Null if the request names no customer, or is not valid.</returns>
    public static async ValueTask<string?> ReadAsync(HttpContext context, string parameter)
    {
        var request = context.Request;
        var id = context.GetEndpoint()?.Metadata.GetMetadata<BodyReader>() is { } reader
            ? (await reader.ReadAsync(context) as ICountsForCustomer)?.CustomerKey()
            : request.RouteValues[parameter] as string ?? request.Query[parameter].ToString();
        return id is { Length: > 0 and <= MaxLength } ? id : null;
    }
}
