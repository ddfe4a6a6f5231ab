using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// Sends due mails. Every replica polls, and the lease on the row decides which one sends. A failed mail is retried by any replica, for a week. A
/// rejected recipient does not delay the others: if the rejection is temporary, the recipient gets a separate mail that is retried like any
/// other. If a replica crashes after the server accepted a mail and before it recorded that, the mail goes out twice with the same Message-ID:
/// better than not at all.
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
            // The service is stopping. Another replica or the next start sends the rest.
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
            // Mails wait until the database is back. Others log its failure louder.
            Log.LookFailed(logger, unusable.Message);
        }
        catch (Exception defect) when (!stoppingToken.IsCancellationRequested)
        {
            // A mail is not worth a crash. The next poll retries.
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
            // A failure of the server or of one mail must not stop the service or the mails behind it.
            await FailAsync(mail, failed, stoppingToken);
            return;
        }

        // Before this mail ends: if this replica crashes in between, the replica that sends it again finds them queued.
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
        [LoggerMessage(EventName = "MailSent", Level = LogLevel.Information, Message = "Mail sent: {mail}, attempt {attempt}")]
        public static partial void MailSent(ILogger logger, string mail, int attempt);

        [LoggerMessage(EventName = "MailNotSent", Level = LogLevel.Warning, Message = "Mail not sent; will retry: {mail}, attempt {attempt}: {reason}")]
        public static partial void MailNotSent(ILogger logger, string mail, int attempt, string reason);

        [LoggerMessage(EventName = "MailGivenUp", Level = LogLevel.Error, Message = "Mail given up: {mail}, after {attempt} attempts")]
        public static partial void MailGivenUp(ILogger logger, string mail, int attempt, Exception exception);

        [LoggerMessage(EventName = "MailRecipientRefused", Level = LogLevel.Error, Message = "The mail server rejected {recipient} for {mail}; will not retry: {reason}")]
        public static partial void RecipientRefused(ILogger logger, string recipient, string mail, string reason);

        [LoggerMessage(EventName = "MailRecipientWaits", Level = LogLevel.Warning, Message = "The mail server temporarily rejected {recipient} for {mail}; will retry: {reason}")]
        public static partial void RecipientWaits(ILogger logger, string recipient, string mail, string reason);

        [LoggerMessage(EventName = "MailLookFailed", Level = LogLevel.Debug, Message = "Polling for due mails failed; will retry: {reason}")]
        public static partial void LookFailed(ILogger logger, string reason);

        [LoggerMessage(EventName = "MailLookBroke", Level = LogLevel.Error, Message = "Mail sender failed; continuing")]
        public static partial void LookBroke(ILogger logger, Exception exception);
    }
}
