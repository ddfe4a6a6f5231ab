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
    /// <returns>Whom the server refused, where it took the mail for others.</returns>
    /// <exception cref="NobodyTookMailException">It refused all.</exception>
    /// <exception cref="OperationCanceledException">The server took too long, or the service stops.</exception>
    public async Task<IReadOnlyList<RefusedRecipient>> SendAsync(OutgoingMail mail, CancellationToken cancellationToken)
    {
        var url = settings.Smtp!;
        using var timeout = new CancellationTokenSource(limits.SendTime, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        // By default the certificate's issuer would be asked on the internet whether it was revoked, and no answer would count as yes.
        using var client = new Client { CheckCertificateRevocation = false };
        var tls = url.Ssl ? SecureSocketOptions.SslOnConnect : url.RequiresTls ? SecureSocketOptions.StartTls : SecureSocketOptions.StartTlsWhenAvailable;
        await client.ConnectAsync(url.Server.Host, url.Server.Port, tls, bound.Token);
        if (url.User is not null)
            await client.AuthenticateAsync(url.User, url.Password!, bound.Token);
        using var message = Message(mail);
        var recipients = mail.OnlyTo is { } address ? [MailboxAddress.Parse(address)] : settings.MailTo;
        await client.SendAsync(message, settings.MailFrom!, recipients, bound.Token);
        try
        {
            await client.DisconnectAsync(quit: true, bound.Token);
        }
        catch (Exception rude) when (rude is IOException or SocketException or ProtocolException or OperationCanceledException)
        {
            // The server has the mail; how it hangs up is its affair.
        }

        return client.Refused;
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

    /// <summary>Goes on with those whom the server takes the mail for.</summary>
    private sealed class Client : SmtpClient
    {
        public List<RefusedRecipient> Refused { get; } = [];

        protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
            Refused.Add(new RefusedRecipient(mailbox.Address, IsForNow: (int)response.StatusCode < 500, $"{(int)response.StatusCode} {response.Response}"));

        protected override void OnNoRecipientsAccepted(MimeMessage message) => throw new NobodyTookMailException(Refused);
    }
}

/// <param name="IsForNow">The server may take the mail for this one later (RFC 5321: a code of 4xx).</param>
internal sealed record RefusedRecipient(string Address, bool IsForNow, string Reason)
{
    public static string Words(IEnumerable<RefusedRecipient> refused) =>
        string.Join("; ", refused.Select(recipient => $"{recipient.Address}: {recipient.Reason}"));
}

/// <summary>The mail server took the mail for nobody: more likely something is wrong with it than with all the addresses.</summary>
internal sealed class NobodyTookMailException(IReadOnlyList<RefusedRecipient> refused) : Exception(RefusedRecipient.Words(refused));
