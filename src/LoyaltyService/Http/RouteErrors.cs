namespace LoyaltyService.Http;

/// <summary>The errors that a route, or every route of a group, may return. A route has one of these for each place that declares some.</summary>
internal sealed record RouteErrors(IReadOnlyList<ErrorCode> Errors);

/// <summary>The routes of a group ask for credentials: they may return every error that is <see cref="ErrorCode.IsCommon"/>.</summary>
internal sealed record CommonErrors;

internal static class RouteErrorExtensions
{
    /// <summary>Declares errors of this route; those of its group and of its body are declared there.</summary>
    public static TBuilder Gives<TBuilder>(this TBuilder route, params ErrorCode[] errors)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new RouteErrors(errors));

    /// <summary>For a group whose routes ask for credentials.</summary>
    public static TBuilder GivesCommonErrors<TBuilder>(this TBuilder group)
        where TBuilder : IEndpointConventionBuilder =>
        group.WithMetadata(new CommonErrors());
}
