using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoyaltyService.Server;

/// <summary>
/// The certificate for https, from PEM files. They are reread once a minute, so that a renewed certificate needs no restart. An unreadable file, such as one
/// that is being written, leaves the last certificate in use.
/// </summary>
internal sealed partial class CertificateFile
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly string certificatePath;
    private readonly string keyPath;
    private readonly TimeProvider clock;
    private readonly ILogger<CertificateFile> logger;
    private readonly Lock gate = new();
    private SslStreamCertificateContext context;
    private (DateTime Certificate, DateTime Key) written;
    private long lookedAt;

    public CertificateFile(string certificatePath, string keyPath, TimeProvider clock, ILogger<CertificateFile> logger)
    {
        (this.certificatePath, this.keyPath, this.clock, this.logger) = (certificatePath, keyPath, clock, logger);
        written = Written();
        lookedAt = clock.GetTimestamp();
        context = Load(certificatePath, keyPath);
    }

    /// <summary>The certificate with its chain, as sent.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (gate)
            {
                if (clock.GetElapsedTime(lookedAt) >= LookEvery)
                    LookAgain();
                return context;
            }
        }
    }

    /// <summary>Every exception that reading a certificate and a key can throw.</summary>
    public static bool IsUnusable(Exception exception) =>
        exception is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException;

    public static SslStreamCertificateContext Load(string certificatePath, string keyPath)
    {
        var certificate = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificatePath);
        // offline: do not download missing parts of the chain while a caller waits.
        return SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    private void LookAgain()
    {
        lookedAt = clock.GetTimestamp();
        try
        {
            var now = Written();
            if (now == written)
                return;
            context = Load(certificatePath, keyPath);
            written = now;
            Log.CertificateRenewed(logger, context.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception broken) when (IsUnusable(broken))
        {
            Log.CertificateNotRead(logger, broken.Message);
        }
    }

    private (DateTime, DateTime) Written() => (File.GetLastWriteTimeUtc(certificatePath), File.GetLastWriteTimeUtc(keyPath));

    private static partial class Log
    {
        [LoggerMessage(EventName = "CertificateRenewed", Level = LogLevel.Information, Message = "A new certificate is in use, good until {notAfter}")]
        public static partial void CertificateRenewed(ILogger logger, DateTime notAfter);

        [LoggerMessage(EventName = "CertificateNotRead", Level = LogLevel.Error, Message = "The new certificate cannot be used, the last one stays: {reason}")]
        public static partial void CertificateNotRead(ILogger logger, string reason);
    }
}
