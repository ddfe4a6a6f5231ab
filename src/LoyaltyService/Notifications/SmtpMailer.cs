using System.Net.Sockets;
using LoyaltyService.Configuration;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace LoyaltyService.Notifications;

/// <summary>Hands one mail to the server. The server's yes is the end of it: what becomes of the mail then is the server's.</summary>
internal sealed class SmtpMailer(Settings settings, NotificationLimits limits, TimeProvider clock)
{
    /// <exception cref="OperationCanceledException">The server took too long, or the service stops.</exception>
    public async Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken)
    {
        var url = settings.Smtp!;
        using var timeout = new CancellationTokenSource(limits.SendTime, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        // By default the certificate's issuer would be asked on the internet whether it was revoked, and no answer would count as yes.
        using var client = new SmtpClient { CheckCertificateRevocation = false };
        var tls = url.Ssl ? SecureSocketOptions.SslOnConnect : url.RequiresTls ? SecureSocketOptions.StartTls : SecureSocketOptions.StartTlsWhenAvailable;
        await client.ConnectAsync(url.Server.Host, url.Server.Port, tls, bound.Token);
        if (url.User is not null)
            await client.AuthenticateAsync(url.User, url.Password!, bound.Token);
        using var message = Message(mail);
        await client.SendAsync(message, bound.Token);
        try
        {
            await client.DisconnectAsync(quit: true, bound.Token);
        }
        catch (Exception rude) when (rude is IOException or SocketException or ProtocolException or OperationCanceledException)
        {
            // The server has the mail; how it hangs up is its affair.
        }
    }

    private MimeMessage Message(OutgoingMail mail)
    {
        var message = new MimeMessage([settings.MailFrom!], settings.MailTo, mail.Subject, new BodyBuilder { TextBody = mail.Text, HtmlBody = mail.Html }.ToMessageBody())
        {
            Date = clock.GetUtcNow(),
            // The same at every attempt: if a yes of the server was lost, the second copy can be known for what it is.
            MessageId = $"{mail.Id:N}@{settings.MailFrom!.Domain}",
        };
        // No answers from holidays (RFC 3834).
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }
}
