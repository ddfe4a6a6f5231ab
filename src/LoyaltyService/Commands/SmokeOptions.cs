using LoyaltyService.Privacy;

namespace LoyaltyService.Commands;

/// <param name="Service">A replica, or the load balancer before all of them.</param>
/// <param name="Prometheus">The Prometheus that scrapes the service, to be asked too.</param>
/// <param name="ApiKey">From SMOKE_API_KEY: an argument would stand in the list of processes.</param>
/// <param name="CustomerId">A customer who is PDI's for tests: the sale earns points.</param>
internal sealed record SmokeOptions(Uri Service, Uri? Prometheus, [property: Secret] string? ApiKey, [property: CustomerIdentity] string CustomerId) : RedactedRecord
{
    /// <returns>Null if the words cannot be understood.</returns>
    public static SmokeOptions? Parse(string url, string[] more, Func<string, string?> find)
    {
        var prometheus = more is ["--prometheus", var text] ? Http(text) : null;
        return Http(url) is { } service && (prometheus is null ? more.Length == 0 : true)
            ? new SmokeOptions(service, prometheus, find("SMOKE_API_KEY"), find("SMOKE_CUSTOMER_ID") ?? "CUST-12345")
            : null;
    }

    // With a slash at its end, so that what is asked for goes below its path.
    private static Uri? Http(string text) =>
        Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) ? url : null;
}
