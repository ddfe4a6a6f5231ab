using System.Net;
using LoyaltyService.Privacy;
using MimeKit;

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

    /// <summary>Requests a minute for each client with an individual limit, by name.</summary>
    public required IReadOnlyDictionary<string, int> RateLimitClients { get; init; }

    /// <summary>The proxies whose X-Forwarded-For counts.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    public required Uri? OtlpEndpoint { get; init; }

    public required int QueueMaxItems { get; init; }

    public required bool AutoMigrate { get; init; }

    /// <summary>Null when no mail is sent.</summary>
    public required SmtpUrl? Smtp { get; init; }

    public required MailboxAddress? MailFrom { get; init; }

    /// <summary>Empty when no mail is sent.</summary>
    public required IReadOnlyList<MailboxAddress> MailTo { get; init; }

    /// <summary>Every setting as a log, a mail or a table may show it: without the secrets.</summary>
    public IReadOnlyList<(string Name, string Value)> Shown() =>
    [
        (nameof(Environment), $"{Environment}"),
        (nameof(Port), $"{Port}"),
        (nameof(HttpsCertificate), $"{HttpsCertificate}"),
        (nameof(HttpsKey), $"{HttpsKey}"),
        (nameof(Database), $"{Database}"),
        (nameof(Redis), $"{Redis}"),
        (nameof(PdiApiUrl), $"{PdiApiUrl}"),
        (nameof(PdiClientId), PdiClientId),
        (nameof(PdiClientSecret), "(secret)"),
        (nameof(LogLevel), $"{LogLevel}"),
        (nameof(SessionTtl), $"{SessionTtl}"),
        (nameof(ArchiveAfter), $"{ArchiveAfter}"),
        (nameof(ApiKeys), $"[{string.Join(", ", ApiKeys)}]"),
        (nameof(ApiKeysFile), $"{ApiKeysFile}"),
        (nameof(JwtAuthority), $"{JwtAuthority}"),
        (nameof(JwtAudience), $"{JwtAudience}"),
        (nameof(RateLimitGlobalPerSecond), $"{RateLimitGlobalPerSecond}"),
        (nameof(RateLimitCustomerPerSecond), $"{RateLimitCustomerPerSecond}"),
        (nameof(RateLimitIpPerMinute), $"{RateLimitIpPerMinute}"),
        (nameof(RateLimitClients), $"[{string.Join(", ", RateLimitClients)}]"),
        (nameof(TrustedProxies), $"[{string.Join(", ", TrustedProxies)}]"),
        (nameof(OtlpEndpoint), $"{OtlpEndpoint}"),
        (nameof(QueueMaxItems), $"{QueueMaxItems}"),
        (nameof(AutoMigrate), $"{AutoMigrate}"),
        (nameof(Smtp), $"{Smtp}"),
        (nameof(MailFrom), $"{MailFrom}"),
        (nameof(MailTo), $"[{string.Join(", ", MailTo)}]"),
    ];

    /// <summary>Without the secrets: a record prints all its members, possibly into a log.</summary>
    public override string ToString() => $"Settings {{ {string.Join(", ", Shown().Select(setting => $"{setting.Name} = {setting.Value}"))} }}";
}
