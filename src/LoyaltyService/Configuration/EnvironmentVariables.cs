
namespace LoyaltyService.Configuration;

/// <summary>Every variable that the service reads. Tests compare this list with <c>docs/configuration.md</c> and <c>.env.example</c>.</summary>
internal static class EnvironmentVariables
{
    /// <summary>ASP.NET Core's name for <see cref="NodeEnv"/>; it wins, so that the framework's tools behave as usual.</summary>
    public const string AspNetCoreEnvironment = "ASPNETCORE_ENVIRONMENT";

    public static readonly EnvironmentVariable NodeEnv = new("NODE_ENV", "production", "no", false,
        "Environment: development, test, production. ASPNETCORE_ENVIRONMENT is the same setting and wins.");

    public static readonly EnvironmentVariable Port = new("PORT", "3000", "no", false,
        "HTTP server port, 0 to 65535; 0 takes any free port.");

    public static readonly EnvironmentVariable HttpsCertificate = new("HTTPS_CERTIFICATE", null, "no", false,
        "Path of a PEM file with the certificate and its chain; PORT then speaks https only.");

    public static readonly EnvironmentVariable HttpsKey = new("HTTPS_KEY", null, "when HTTPS_CERTIFICATE is set", false,
        "Path of a PEM file with the certificate's private key, without a password.");

    public static readonly EnvironmentVariable DatabaseUrl = new("DATABASE_URL", null, "in production", true,
        "Database: postgresql://… or sqlite:PATH (secret).")
    { DefaultOutsideProduction = "sqlite:data/loyalty.db" };

    public static readonly EnvironmentVariable RedisUrl = new("REDIS_URL", null, "in production", true,
        "Redis for the replay cache and the rate limits: redis://…, rediss://… or memory: (secret).")
    { DefaultOutsideProduction = "memory:" };

    public static readonly EnvironmentVariable PdiApiUrl = new("PDI_API_URL", null, "yes", false,
        "PDI API base URL; https in production, unless the host is loopback or PDI_ALLOW_HTTP is true.");

    public static readonly EnvironmentVariable PdiClientId = new("PDI_CLIENT_ID", null, "yes", false,
        "OAuth2 client ID for PDI.");

    public static readonly EnvironmentVariable PdiClientSecret = new("PDI_CLIENT_SECRET", null, "yes", true,
        "OAuth2 client secret for PDI (secret).");

    public static readonly EnvironmentVariable PdiAllowHttp = new("PDI_ALLOW_HTTP", "false", "no", false,
        "Whether PDI_API_URL may be plain http in production: true or false.");

    public static readonly EnvironmentVariable LogLevel = new("LOG_LEVEL", "info", "no", false,
        "Lowest level that is logged: debug, info, warn, error.");

    public static readonly EnvironmentVariable SessionTtlHours = new("SESSION_TTL_HOURS", "24", "no", false,
        "Session expiry time in hours, 1 to 8760.");

    public static readonly EnvironmentVariable ArchiveAfterDays = new("ARCHIVE_AFTER_DAYS", "30", "no", false,
        "How many days after it was finalized or failed a session moves to the archive, 1 to 3650.");

    public static readonly EnvironmentVariable ApiKeys = new("API_KEYS", null, "in production, unless JWT_AUTHORITY is set", true,
        "Callers' keys: name:scope[+scope]:sha256-of-secret-in-hex, separated by commas (secret).");

    public static readonly EnvironmentVariable JwtAuthority = new("JWT_AUTHORITY", null, "no", false,
        "Issuer of the bearer tokens to accept; its metadata gives the keys. https in production.");

    public static readonly EnvironmentVariable JwtAudience = new("JWT_AUDIENCE", null, "when JWT_AUTHORITY is set", false,
        "Audience that a bearer token must name.");

    public static readonly EnvironmentVariable RateLimitGlobalPerSecond = new("RATE_LIMIT_GLOBAL_PER_SECOND", "1000", "no", false,
        "Requests a second for the whole service; 0 is off.");

    public static readonly EnvironmentVariable RateLimitCustomerPerSecond = new("RATE_LIMIT_CUSTOMER_PER_SECOND", "100", "no", false,
        "Requests a second for one customer; 0 is off.");

    public static readonly EnvironmentVariable RateLimitIpPerMinute = new("RATE_LIMIT_IP_PER_MINUTE", "500", "no", false,
        "Requests a minute from one IP address; 0 is off.");

    public static readonly EnvironmentVariable RateLimitClients = new("RATE_LIMIT_CLIENTS", null, "no", false,
        "Clients with a separate limit instead of their address's: name:requests-a-minute, or jwt:client_id:requests-a-minute for a token's client, separated by commas; 0 is off.");

    public static readonly EnvironmentVariable TrustedProxies = new("TRUSTED_PROXIES", null, "no", false,
        "Addresses and networks (CIDR) whose X-Forwarded-For is believed, separated by commas.");

    public static readonly EnvironmentVariable OtlpEndpoint = new("OTEL_EXPORTER_OTLP_ENDPOINT", null, "no", false,
        "OTLP collector for traces; nothing is sent when it is not set.");

    public static readonly EnvironmentVariable QueueMaxItems = new("QUEUE_MAX_ITEMS", "1000", "no", false,
        "How many operations may wait for PDI, at least 1; further ones are refused.");

    public static readonly EnvironmentVariable AutoMigrate = new("AUTO_MIGRATE", "true", "no", false,
        "Whether the start applies database migrations: true or false.");

    public static readonly EnvironmentVariable SmtpUrl = new("SMTP_URL", null, "no", true,
        "Mail server for the daily summary and notifications: smtp://… or smtps://…; no mail is sent when it is not set (secret).");

    public static readonly EnvironmentVariable MailFrom = new("MAIL_FROM", null, "when SMTP_URL is set", false,
        "Address that the mails come from.");

    public static readonly EnvironmentVariable MailTo = new("MAIL_TO", null, "when SMTP_URL is set", false,
        "Addresses that the mails go to, separated by commas.");

    public static readonly IReadOnlyList<EnvironmentVariable> All =
    [
        NodeEnv, Port, HttpsCertificate, HttpsKey, DatabaseUrl, RedisUrl, PdiApiUrl, PdiClientId, PdiClientSecret, PdiAllowHttp, LogLevel, SessionTtlHours,
        ArchiveAfterDays, ApiKeys, JwtAuthority, JwtAudience, RateLimitGlobalPerSecond, RateLimitCustomerPerSecond, RateLimitIpPerMinute,
        RateLimitClients, TrustedProxies, OtlpEndpoint, QueueMaxItems, AutoMigrate, SmtpUrl, MailFrom, MailTo,
    ];
}
