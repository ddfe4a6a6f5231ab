using LoyaltyService.Configuration;

namespace LoyaltyService.Notifications;

/// <summary>Queues notifications if mail is configured; <see cref="MailSender"/> sends them.</summary>
internal sealed class Notifier(INotificationStore store, Settings settings)
{
    public async Task TellAsync(Notification notification, CancellationToken cancellationToken)
    {
        if (settings.Smtp is not null)
            await store.AddAsync(notification with { Subject = $"loyalty-service ({settings.Environment}): {notification.Subject}" }, cancellationToken);
    }

    public Task CallOffAsync(string key, CancellationToken cancellationToken) => store.CallOffAsync(key, cancellationToken);
}
