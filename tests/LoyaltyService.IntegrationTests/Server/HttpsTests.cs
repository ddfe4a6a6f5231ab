using System.Net.Security;
using System.Security.Authentication;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>HTTPS with a certificate file, for deployments without a TLS proxy.</summary>
public sealed class HttpsTests : IDisposable
{
    private readonly TestCertificates certificates = new();

    public void Dispose() => certificates.Dispose();

    [Fact]
    public async Task With_a_certificate_the_port_speaks_https_and_nothing_else()
    {
        var (certificate, key) = certificates.Issue("server");
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite, new() { ["HTTPS_CERTIFICATE"] = certificate, ["HTTPS_KEY"] = key });
        var port = app.Address.Port;
        using var https = certificates.Client(new Uri($"https://localhost:{port}"));
        using var stranger = new HttpClient { BaseAddress = https.BaseAddress };

        using var answer = await https.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
        await Assert.ThrowsAsync<HttpRequestException>(() => app.Http.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_images_health_check_uses_https()
    {
        var (certificate, key) = certificates.Issue("server");
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite, new() { ["HTTPS_CERTIFICATE"] = certificate, ["HTTPS_KEY"] = key });

        var check = await Ran.ToItsEndAsync(
            "dotnet", [typeof(Program).Assembly.Location, "healthcheck"], new Dictionary<string, string?> { ["PORT"] = $"{app.Address.Port}", ["HTTPS_CERTIFICATE"] = certificate });

        Assert.True(check.ExitCode == 0, check.Output);
    }

    [Theory]
    // TLS 1.1, 1.2 and 1.3, by number: the name of the first is deprecated.
    [InlineData(0x0300, false)]
    [InlineData(0x0C00, true)]
    [InlineData(0x3000, true)]
    public async Task Old_versions_of_TLS_are_refused(int version, bool isSpoken)
    {
        var (certificate, key) = certificates.Issue("server");
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite, new() { ["HTTPS_CERTIFICATE"] = certificate, ["HTTPS_KEY"] = key });
        using var connection = new System.Net.Sockets.TcpClient("127.0.0.1", app.Address.Port);
        await using var tls = new SslStream(connection.GetStream(), leaveInnerStreamOpen: false);

        var shake = Record.ExceptionAsync(() => tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = (SslProtocols)version, CertificateChainPolicy = certificates.Policy() }, TestContext.Current.CancellationToken));

        Assert.Equal(isSpoken, await shake is null);
    }

    [Fact]
    public async Task An_unusable_certificate_fails_the_start_and_is_named()
    {
        var (certificate, _) = certificates.Issue("server");
        var (_, otherKey) = certificates.Issue("other");
        foreach (var (file, key) in new[] { (certificate, otherKey), (otherKey, otherKey), (certificate, "/no/such/file"), ("/no/such/file", otherKey) })
        {
            var unusable = await Assert.ThrowsAsync<ConfigurationException>(
                () => LoyaltyApp.StartAsync(Backend.Sqlite, new() { ["HTTPS_CERTIFICATE"] = file, ["HTTPS_KEY"] = key }));
            Assert.Equal("HTTPS_CERTIFICATE", Assert.Single(unusable.Errors).Variable);
        }
    }

    [Fact]
    public void A_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not()
    {
        var clock = new FakeTimeProvider();
        var (certificate, key) = certificates.Issue("server");
        var file = new CertificateFile(certificate, key, clock, NullLogger<CertificateFile>.Instance);
        var first = file.Current.TargetCertificate.SerialNumber;

        File.WriteAllText(certificate, "half");
        File.SetLastWriteTimeUtc(certificate, clock.GetUtcNow().UtcDateTime);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(first, file.Current.TargetCertificate.SerialNumber);

        certificates.Issue("server");
        Assert.Equal(first, file.Current.TargetCertificate.SerialNumber);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(first, file.Current.TargetCertificate.SerialNumber);
    }
}
