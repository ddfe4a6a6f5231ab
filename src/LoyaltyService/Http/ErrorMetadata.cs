namespace LoyaltyService.Http;

/// <summary>The errors that a route, or every route of a group, may give. A route has one of these for each place that declares some.</summary>
internal sealed record ErrorMetadata(IReadOnlyList<ErrorCode> Errors);

internal static class ErrorMetadataExtensions
{
    /// <summary>What any route may give that asks who calls.</summary>
    private static readonly ErrorCode[] Common =
    [
        ErrorCode.Unauthenticated,
        ErrorCode.Forbidden,
        ErrorCode.RateLimited,
        ErrorCode.InternalError,
        ErrorCode.AuthorityUnavailable,
        ErrorCode.DatabaseUnavailable,
        ErrorCode.Overloaded,
    ];

    /// <summary>Says which errors of its own the route may give; those of its group and of its body are known already.</summary>
    public static TBuilder Gives<TBuilder>(this TBuilder route, params ErrorCode[] errors)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new ErrorMetadata(errors));

    /// <summary>For a group whose routes ask who calls.</summary>
    public static TBuilder GivesCommonErrors<TBuilder>(this TBuilder group)
        where TBuilder : IEndpointConventionBuilder =>
        group.Gives(Common);
}
