using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MimeKit;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A real mail server as a process of its own, which may be down at first and come later.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    // Debian's, which has Debian's packages; another one may come first on the path.
    private const string Python = "/usr/bin/python3";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mail-test-");
    private Process? process;

    public int Port { get; } = FreePort.Find();

    public string Url => $"smtp://127.0.0.1:{Port}";

    /// <summary>The server's certificate, for who shall trust it.</summary>
    public string Certificate => Path.Combine(folder.FullName, "certificate.pem");

    private string Maildir => Path.Combine(folder.FullName, "mail");

    /// <summary>Variables of a service that sends its mails here.</summary>
    public Dictionary<string, string?> Variables(string? url = null) => new()
    {
        ["SMTP_URL"] = url ?? Url,
        ["MAIL_FROM"] = "loyalty-service <loyalty@example.com>",
        ["MAIL_TO"] = "ops@example.com, On Call <on-call@example.com>",
    };

    public async Task StartAsync(params string[] options)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "Infrastructure", "smtp_server.py");
        process = Process.Start(new ProcessStartInfo(Python, [script, "--port", $"{Port}", "--maildir", Maildir, .. options]) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        await Eventually.BecomesTrueAsync(
            async () => process.HasExited
                ? throw new InvalidOperationException($"The mail server has ended. Run ./test.sh, which installs python3-aiosmtpd. {await errors}")
                : await AnswersAsync(),
            "the mail server answers");
    }

    /// <summary>With TLS, which it requires, and a certificate that nobody knows.</summary>
    public async Task StartWithTlsAsync(params string[] options)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await File.WriteAllTextAsync(Certificate, certificate.ExportCertificatePem());
        var both = Path.Combine(folder.FullName, "both.pem");
        await File.WriteAllTextAsync(both, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        await StartAsync(["--certificate", both, .. options]);
    }

    public IReadOnlyList<Mail> Mails() => Directory.Exists(Path.Combine(Maildir, "new"))
        ? [.. new DirectoryInfo(Path.Combine(Maildir, "new")).GetFiles().OrderBy(file => file.CreationTimeUtc).Select(file => new Mail(MimeMessage.Load(file.FullName)))]
        : [];

    /// <summary>Waits for the mail whose subject contains the text.</summary>
    public async Task<Mail> GetsAsync(string subject) => (await Eventually.GetAsync(
        () => Task.FromResult(Mails().Where(mail => mail.Subject.Contains(subject, StringComparison.Ordinal)).ToList()), mails => mails.Count > 0, $"a mail comes: {subject}"))[0];

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process?.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>A mail as it arrived.</summary>
internal sealed record Mail(MimeMessage Message)
{
    public string Subject => Message.Subject ?? "";

    public string Text => Message.TextBody ?? "";

    public string Html => Message.HtmlBody ?? "";

    /// <summary>Whom the server was given for it.</summary>
    public string Recipients => Message.Headers["X-RcptTo"] ?? "";

    public override string ToString() => Subject;
}
