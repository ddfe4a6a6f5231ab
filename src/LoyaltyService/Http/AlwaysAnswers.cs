namespace LoyaltyService.Http;

/// <summary>Marks probes and metrics: no limit and no overload rejects them.</summary>
internal sealed record AlwaysAnswersMetadata;

internal static class AlwaysAnswersExtensions
{
    public static TBuilder AlwaysAnswers<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new AlwaysAnswersMetadata());
}
