namespace LoyaltyService.Notifications;

/// <summary>
/// Outgoing mails and the values noted at the last start, shared by all replicas: PostgreSQL or SQLite, held to the same contract tests. All
/// times are the database's.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface INotificationStore
{
    /// <summary>Returns false if the key exists already, sent or not.</summary>
    Task<bool> AddAsync(Notification notification, CancellationToken cancellationToken);

    /// <summary>Claims the mail that has been due for longest and is not leased; null if no mail is due.</summary>
    Task<OutgoingMail?> ClaimAsync(TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Marks a mail as sent or given up; false if another replica has taken it over.</summary>
    Task<bool> EndAsync(OutgoingMail mail, bool sent, string? error, CancellationToken cancellationToken);

    /// <summary>Makes a mail due again after the pause; false if another replica has taken it over.</summary>
    Task<bool> PutBackAsync(OutgoingMail mail, TimeSpan pause, string? error, CancellationToken cancellationToken);

    /// <summary>Cancels an unsent mail; false if there is nothing to cancel.</summary>
    Task<bool> CallOffAsync(string key, CancellationToken cancellationToken);

    /// <summary>Deletes mails that ended longer ago than <paramref name="keep"/>.</summary>
    Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>The value noted at the last start; null before the first.</summary>
    Task<KnownValue?> KnownAsync(string what, CancellationToken cancellationToken);

    /// <summary>Replaces the noted value; false if another replica did so first.</summary>
    Task<bool> NoteAsync(string what, KnownValue? before, string value, CancellationToken cancellationToken);
}
