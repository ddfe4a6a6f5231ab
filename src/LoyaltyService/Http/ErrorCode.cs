namespace LoyaltyService.Http;

/// <summary>
/// An error that callers can get. Clients decide by <paramref name="Code"/>, which never changes its meaning. Each feature declares and registers its own; the
/// metrics, the API reference and docs/errors.md read the registered ones.
/// </summary>
/// <param name="Code">The value of <c>code</c>.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Advice">What the caller should do.</param>
internal sealed record ErrorCode(string Code, int Status, string Title, string Advice)
{
    /// <summary>Every route that asks for credentials may return it.</summary>
    public bool IsCommon { get; init; }
}

internal static class ErrorCodes
{
    public static void AddErrors(this IServiceCollection services, IReadOnlyList<ErrorCode> errors)
    {
        foreach (var error in errors)
            services.AddSingleton(error);
    }
}
