using System.Net.Sockets;
using LoyaltyService.Configuration;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace LoyaltyService.Notifications;

/// <summary>Hands one mail to the server. Once accepted, its delivery is up to the server.</summary>
internal sealed class SmtpMailer(Settings settings, NotificationLimits limits, TimeProvider clock)
{
    /// <returns>Recipients that the server rejected while it accepted the mail for others.</returns>
    /// <exception cref="NobodyTookMailException">The server rejected all recipients.</exception>
    /// <exception cref="OperationCanceledException">The send timed out, or the service is stopping.</exception>
    public async Task<IReadOnlyList<RefusedRecipient>> SendAsync(OutgoingMail mail, CancellationToken cancellationToken)
    {
        var url = settings.Smtp!;
        using var timeout = new CancellationTokenSource(limits.SendTime, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        // By default MailKit checks revocation with the certificate's issuer online, and treats no response as revoked.
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
            // The server has accepted the mail, so an unclean disconnect does not matter.
        }

        return client.Refused;
    }

    private MimeMessage Message(OutgoingMail mail)
    {
        var message = new MimeMessage([settings.MailFrom!], settings.MailTo, mail.Subject, new BodyBuilder { TextBody = mail.Text, HtmlBody = mail.Html }.ToMessageBody())
        {
            Date = clock.GetUtcNow(),
            // The same for every attempt: if the server's response was lost, the duplicate is recognizable.
            MessageId = $"{mail.Id:N}@{settings.MailFrom!.Domain}",
        };
        // Prevents out-of-office replies (RFC 3834).
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    /// <summary>Continues with the recipients that the server accepts.</summary>
    private sealed class Client : SmtpClient
    {
        public List<RefusedRecipient> Refused { get; } = [];

        protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
            Refused.Add(new RefusedRecipient(mailbox.Address, IsForNow: (int)response.StatusCode < 500, $"{(int)response.StatusCode} {response.Response}"));

        protected override void OnNoRecipientsAccepted(MimeMessage message) => throw new NobodyTookMailException(Refused);
    }
}

/// <param name="IsForNow">The server may accept the recipient later (RFC 5321: 4xx).</param>
internal sealed record RefusedRecipient(string Address, bool IsForNow, string Reason)
{
    public static string Words(IEnumerable<RefusedRecipient> refused) =>
        string.Join("; ", refused.Select(recipient => $"{recipient.Address}: {recipient.Reason}"));
}

/// <summary>The mail server rejected every recipient. The server is more likely at fault than all addresses.</summary>
internal sealed class NobodyTookMailException(IReadOnlyList<RefusedRecipient> refused) : Exception(RefusedRecipient.Words(refused));
