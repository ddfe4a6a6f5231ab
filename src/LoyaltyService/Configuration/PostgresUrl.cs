using LoyaltyService.Privacy;
using Npgsql;

namespace LoyaltyService.Configuration;

/// <summary>A PostgreSQL server, or several to try in turn; null where the URL says nothing.</summary>
internal sealed record PostgresUrl(IReadOnlyList<HostPort> Hosts, string? User, [property: Secret] string? Password, string? Database) : DatabaseUrl
{
    public const int DefaultPort = 5432;

    public SslMode? SslMode { get; init; }

    public string? RootCertificate { get; init; }

    public string? Certificate { get; init; }

    public string? Key { get; init; }

    public string? ApplicationName { get; init; }

    public int? ConnectTimeoutSeconds { get; init; }

    public string? TargetSessionAttributes { get; init; }

    public string? Options { get; init; }

    /// <summary>What the URL says and nothing else; pool, timeouts and session settings are the storage's own.</summary>
    public NpgsqlConnectionStringBuilder ToNpgsql()
    {
        // Encryption is TLS's, by sslmode: the driver would look for a Kerberos library first, which an image without a system has not.
        var builder = new NpgsqlConnectionStringBuilder { GssEncryptionMode = GssEncryptionMode.Disable };
        if (Hosts is [var only])
        {
            builder.Host = only.Host;
            builder.Port = only.Port;
        }
        else
        {
            builder.Host = string.Join(',', Hosts);
        }

        if (User is not null) builder.Username = User;
        if (Password is not null) builder.Password = Password;
        if (Database is not null) builder.Database = Database;
        if (SslMode is { } mode) builder.SslMode = mode;
        if (RootCertificate is not null) builder.RootCertificate = RootCertificate;
        if (Certificate is not null) builder.SslCertificate = Certificate;
        if (Key is not null) builder.SslKey = Key;
        if (ApplicationName is not null) builder.ApplicationName = ApplicationName;
        if (ConnectTimeoutSeconds is { } seconds) builder.Timeout = seconds;
        if (TargetSessionAttributes is not null) builder.TargetSessionAttributes = TargetSessionAttributes;
        if (Options is not null) builder.Options = Options;
        return builder;
    }

    /// <summary>Where, not who: without user, password and parameters.</summary>
    public override string ToString() => $"postgresql://{string.Join(',', Hosts)}/{Database}";
}
