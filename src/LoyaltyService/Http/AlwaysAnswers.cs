namespace LoyaltyService.Http;

/// <summary>Probes and metrics: no limit and no overload keeps them from answering.</summary>
internal sealed record AlwaysAnswersMetadata;

internal static class AlwaysAnswersExtensions
{
    public static TBuilder AlwaysAnswers<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new AlwaysAnswersMetadata());
}
