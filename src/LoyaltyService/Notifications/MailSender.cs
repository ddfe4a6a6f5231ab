using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// Sends what is due. Every replica looks; the row's lease decides who sends a mail. One that cannot be sent stays and is tried again, by
/// whichever replica there is, for a week. A recipient whom the server refuses while it takes the mail for others holds nobody up: one
/// whom it may take later gets a mail of his own, tried again like any other. A replica that dies between the server's yes and its own note
/// leaves the mail to be sent twice, under the same Message-ID: rather that than not at all.
/// </summary>
internal sealed partial class MailSender(
    INotificationStore store, SmtpMailer mailer, NotificationLimits limits, TimeProvider clock, ILogger<MailSender> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.Poll, clock);
        try
        {
            do
                await SendDueAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops; what was not sent is there for the next one.
        }
    }

    private async Task SendDueAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await store.ClaimAsync(limits.Lease, stoppingToken) is { } mail)
                await SendAsync(mail, stoppingToken);
        }
        catch (Exception unusable) when (unusable is DatabaseUnavailableException or OverloadedException)
        {
            // Mails wait as long as the database does; what is wrong with it others say louder.
            Log.LookFailed(logger, unusable.Message);
        }
        catch (Exception defect) when (!stoppingToken.IsCancellationRequested)
        {
            // No mail is worth the end of the service; the next look is the next try.
            Log.LookBroke(logger, defect);
        }
    }

    private async Task SendAsync(OutgoingMail mail, CancellationToken stoppingToken)
    {
        IReadOnlyList<RefusedRecipient> refused;
        try
        {
            refused = await mailer.SendAsync(mail, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await store.PutBackAsync(mail, TimeSpan.Zero, error: null, CancellationToken.None);
            throw;
        }
        catch (Exception failed)
        {
            // Whatever is wrong with the server or with this one mail must end neither the service nor the mails behind it.
            await FailAsync(mail, failed, stoppingToken);
            return;
        }

        // Before the end of this one: whoever sends it again, if this replica dies between the two, finds them there.
        foreach (var recipient in refused)
            await TellAsync(mail, recipient);
        await store.EndAsync(mail, sent: true, error: refused is [] ? null : RefusedRecipient.Words(refused), CancellationToken.None);
        Log.MailSent(logger, mail.Key, mail.Attempts);
    }

    private async Task TellAsync(OutgoingMail mail, RefusedRecipient recipient)
    {
        if (!recipient.IsForNow)
        {
            Log.RecipientRefused(logger, recipient.Address, mail.Key, recipient.Reason);
            return;
        }

        Log.RecipientWaits(logger, recipient.Address, mail.Key, recipient.Reason);
        await store.AddAsync(mail.For(recipient.Address), CancellationToken.None);
    }

    private async Task FailAsync(OutgoingMail mail, Exception failed, CancellationToken stoppingToken)
    {
        if (mail.Age >= limits.GiveUpAfter)
        {
            Log.MailGivenUp(logger, mail.Key, mail.Attempts, failed);
            await store.EndAsync(mail, sent: false, ErrorText.Of(failed), stoppingToken);
            return;
        }

        Log.MailNotSent(logger, mail.Key, mail.Attempts, $"{failed.GetType().Name}: {failed.Message}");
        await store.PutBackAsync(mail, Pause(mail.Attempts), ErrorText.Of(failed), stoppingToken);
    }

    private TimeSpan Pause(int attempts) =>
        TimeSpan.FromTicks((long)Math.Min(limits.LongestPause.Ticks, limits.FirstPause.Ticks * Math.Pow(2, attempts - 1)));

    private static partial class Log
    {
        [LoggerMessage(EventName = "MailSent", Level = LogLevel.Information, Message = "Mail sent: {mail}, try {attempt}")]
        public static partial void MailSent(ILogger logger, string mail, int attempt);

        [LoggerMessage(EventName = "MailNotSent", Level = LogLevel.Warning, Message = "Mail not sent, and tried again: {mail}, try {attempt}: {reason}")]
        public static partial void MailNotSent(ILogger logger, string mail, int attempt, string reason);

        [LoggerMessage(EventName = "MailGivenUp", Level = LogLevel.Error, Message = "Mail given up: {mail}, after {attempt} tries")]
        public static partial void MailGivenUp(ILogger logger, string mail, int attempt, Exception exception);

        [LoggerMessage(EventName = "MailRecipientRefused", Level = LogLevel.Error, Message = "The mail server refuses {recipient}, who does not get {mail}: {reason}")]
        public static partial void RecipientRefused(ILogger logger, string recipient, string mail, string reason);

        [LoggerMessage(EventName = "MailRecipientWaits", Level = LogLevel.Warning, Message = "The mail server refuses {recipient} for now, who gets {mail} later: {reason}")]
        public static partial void RecipientWaits(ILogger logger, string recipient, string mail, string reason);

        [LoggerMessage(EventName = "MailLookFailed", Level = LogLevel.Debug, Message = "Could not look for mails to send: {reason}")]
        public static partial void LookFailed(ILogger logger, string reason);

        [LoggerMessage(EventName = "MailLookBroke", Level = LogLevel.Error, Message = "Defect while looking for mails to send")]
        public static partial void LookBroke(ILogger logger, Exception exception);
    }
}
