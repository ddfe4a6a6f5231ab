using System.Net;
using LoyaltyService.Observability;

namespace LoyaltyService.Configuration;

/// <summary>The configuration after all checks, as the modules use it.</summary>
internal sealed record Settings
{
    public required AppEnvironment Environment { get; init; }

    /// <summary>0 is any free port.</summary>
    public required int Port { get; init; }

    /// <summary>Paths of PEM files; null where the service speaks plain http, behind a proxy.</summary>
    public required string? HttpsCertificate { get; init; }

    public required string? HttpsKey { get; init; }

    public required DatabaseUrl Database { get; init; }

    public required RedisUrl Redis { get; init; }

    /// <summary>Ends with a slash, so that relative addresses go below its path.</summary>
    public required Uri PdiApiUrl { get; init; }

    public required string PdiClientId { get; init; }

    [Secret]
    public required string PdiClientSecret { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required TimeSpan SessionTtl { get; init; }

    public required TimeSpan ArchiveAfter { get; init; }

    /// <summary>Empty when none are configured.</summary>
    public required IReadOnlyList<ApiKey> ApiKeys { get; init; }

    /// <summary>Where the keys came from, if that is a file: it is read again while the service runs.</summary>
    public required string? ApiKeysFile { get; init; }

    public required Uri? JwtAuthority { get; init; }

    public required string? JwtAudience { get; init; }

    /// <summary>0 is off, as for the other two limits.</summary>
    public required int RateLimitGlobalPerSecond { get; init; }

    public required int RateLimitCustomerPerSecond { get; init; }

    public required int RateLimitIpPerMinute { get; init; }

    /// <summary>Requests a minute of the clients that have a limit of their own, by name.</summary>
    public required IReadOnlyDictionary<string, int> RateLimitClients { get; init; }

    /// <summary>Whose word about the caller's address counts.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    public required Uri? OtlpEndpoint { get; init; }

    public required int QueueMaxItems { get; init; }

    public required bool AutoMigrate { get; init; }

    /// <summary>Without the secrets: a record prints all its members, and what is printed ends up in a log.</summary>
    public override string ToString() =>
        $"Settings {{ Environment = {Environment}, Port = {Port}, "
        + $"HttpsCertificate = {HttpsCertificate}, HttpsKey = {HttpsKey}, Database = {Database}, Redis = {Redis}, "
        + $"PdiApiUrl = {PdiApiUrl}, PdiClientId = {PdiClientId}, PdiClientSecret = (secret), "
        + $"LogLevel = {LogLevel}, SessionTtl = {SessionTtl}, ArchiveAfter = {ArchiveAfter}, ApiKeys = [{string.Join(", ", ApiKeys)}], ApiKeysFile = {ApiKeysFile}, "
        + $"JwtAuthority = {JwtAuthority}, JwtAudience = {JwtAudience}, "
        + $"RateLimitGlobalPerSecond = {RateLimitGlobalPerSecond}, RateLimitCustomerPerSecond = {RateLimitCustomerPerSecond}, "
        + $"RateLimitIpPerMinute = {RateLimitIpPerMinute}, "
        + $"RateLimitClients = [{string.Join(", ", RateLimitClients)}], TrustedProxies = [{string.Join(", ", TrustedProxies)}], OtlpEndpoint = {OtlpEndpoint}, "
        + $"QueueMaxItems = {QueueMaxItems}, AutoMigrate = {AutoMigrate} }}";
}
