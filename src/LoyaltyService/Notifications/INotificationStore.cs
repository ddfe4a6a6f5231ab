namespace LoyaltyService.Notifications;

/// <summary>
/// The mails on their way out and what the last start found, shared by all replicas: PostgreSQL or SQLite, held to the same contract
/// tests. All times are the database's.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface INotificationStore
{
    /// <summary>False if there is one of this key already, sent or not.</summary>
    Task<bool> AddAsync(Notification notification, CancellationToken cancellationToken);

    /// <summary>Takes the one that has been due for longest and that nobody is sending; null if there is none.</summary>
    Task<OutgoingMail?> ClaimAsync(TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>It is sent, or given up; false if another has taken it over.</summary>
    Task<bool> EndAsync(OutgoingMail mail, bool sent, string? error, CancellationToken cancellationToken);

    /// <summary>It is due again after the pause; false if another has taken it over.</summary>
    Task<bool> PutBackAsync(OutgoingMail mail, TimeSpan pause, string? error, CancellationToken cancellationToken);

    /// <summary>Takes back what is not sent yet; false if there is nothing to take back.</summary>
    Task<bool> CallOffAsync(string key, CancellationToken cancellationToken);

    /// <summary>Forgets what ended longer ago than <paramref name="keep"/>.</summary>
    Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>What the last start found; null before the first.</summary>
    Task<KnownValue?> KnownAsync(string what, CancellationToken cancellationToken);

    /// <summary>Replaces what is known; false if another has done so meanwhile.</summary>
    Task<bool> NoteAsync(string what, KnownValue? before, string value, CancellationToken cancellationToken);
}
