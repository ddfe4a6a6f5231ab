using System.Net.Security;
using System.Security.Authentication;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Server;

/// <summary>Listening address, certificate, and limits on everything that a caller can make long, many or slow.</summary>
internal static class ServerModule
{
    public static void AddServer(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.TryAddSingleton<ServerLimits>();
        if (settings is { HttpsCertificate: { } certificate, HttpsKey: { } key })
        {
            Check(certificate, key);
            builder.Services.AddSingleton(services => new CertificateFile(
                certificate, key, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<CertificateFile>>()));
        }

        builder.Services.AddSingleton<ConnectionsOfAddresses>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            Bound(kestrel.Limits, kestrel.ApplicationServices.GetRequiredService<ServerLimits>());
            kestrel.ListenAnyIP(settings.Port, listen =>
            {
                // Before TLS: a handshake costs more than a connection.
                listen.Use(kestrel.ApplicationServices.GetRequiredService<ConnectionsOfAddresses>().Bound);
                if (kestrel.ApplicationServices.GetService<CertificateFile>() is { } file)
                    listen.UseHttps(Https(file));
            });
        });
        builder.Services.AddRequestTimeouts();
        builder.Services.AddOptions<RequestTimeoutOptions>().Configure<ServerLimits>(static (timeouts, limits) => timeouts.DefaultPolicy = new()
        {
            Timeout = limits.RequestTime,
            TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
            WriteTimeoutResponse = static context => Problems.WriteAsync(
                context, new Rejection(HttpErrors.Overloaded, "The request took too long.") { RetryAfter = TimeSpan.FromSeconds(1) }),
        });
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in settings.TrustedProxies)
                forwarded.KnownIPNetworks.Add(proxy);
            // From right to left, as long as a trusted proxy added the entry.
            forwarded.ForwardLimit = null;
        });
    }

    /// <summary>The caller's address if a trusted proxy gives it, and the limits of concurrency and time.</summary>
    public static void UseServerLimits(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Settings>().TrustedProxies.Count > 0)
            app.UseForwardedHeaders();
        app.UseMiddleware<RequestsInWork>(app.Services.GetRequiredService<ServerLimits>());
        app.UseRequestTimeouts();
    }

    /// <summary>Reported with the other configuration errors, not during startup.</summary>
    private static void Check(string certificate, string key)
    {
        try
        {
            CertificateFile.Load(certificate, key);
        }
        catch (Exception broken) when (CertificateFile.IsUnusable(broken))
        {
            throw new ConfigurationException([new ConfigurationError(
                EnvironmentVariables.HttpsCertificate.Name, $"must name a PEM file with a certificate, and HTTPS_KEY one with its key, but they give: {broken.Message}")]);
        }
    }

    private static void Bound(KestrelServerLimits kestrel, ServerLimits limits)
    {
        kestrel.MaxConcurrentConnections = limits.MaxConnections;
        // Connections are never upgraded.
        kestrel.MaxConcurrentUpgradedConnections = 0;
        kestrel.MaxRequestBodySize = ServerLimits.MaxBodyBytes;
        kestrel.MaxRequestHeadersTotalSize = limits.MaxHeaderBytes;
        kestrel.MaxRequestHeaderCount = limits.MaxHeaders;
        kestrel.MaxRequestLineSize = limits.MaxRequestLineBytes;
        kestrel.RequestHeadersTimeout = limits.HeaderTime;
        kestrel.KeepAliveTimeout = limits.IdleTime;
        kestrel.MinRequestBodyDataRate = new MinDataRate(limits.LeastBytesPerSecond, limits.SlowGrace);
        kestrel.MinResponseDataRate = new MinDataRate(limits.LeastBytesPerSecond, limits.SlowGrace);
    }

    private static TlsHandshakeCallbackOptions Https(CertificateFile file) => new()
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = file.Current,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        }),
    };
}
