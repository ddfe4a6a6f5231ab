using LoyaltyService.Privacy;

namespace LoyaltyService.Commands;

/// <param name="Service">A replica, or the load balancer.</param>
/// <param name="Prometheus">The Prometheus that scrapes the service; null skips its checks.</param>
/// <param name="ApiKey">From SMOKE_API_KEY, because an argument would be visible in the process list.</param>
/// <param name="CustomerId">A test customer of PDI: the sale earns points.</param>
internal sealed record SmokeOptions(Uri Service, Uri? Prometheus, [property: Secret] string? ApiKey, [property: CustomerIdentity] string CustomerId) : RedactedRecord;
