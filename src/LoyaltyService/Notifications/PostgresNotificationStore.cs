using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary><c>notifications</c> and <c>last_start</c> in PostgreSQL.</summary>
internal sealed class PostgresNotificationStore(PostgresDatabase database) : INotificationStore
{
    private const string Add = """
        insert into notifications (id, key, subject, body, html, created_at, due_at)
        values ($1, $2, $3, $4, $5, now(), coalesce($6, now()))
        on conflict (key) do nothing
        """;

    // Read committed: two replicas that poll at once claim different mails, or one claims no mail.
    private const string Claim = """
        update notifications set lease_until = now() + $1, attempts = attempts + 1
         where id = (
               select id from notifications
                where ended_at is null and due_at <= now() and (lease_until is null or lease_until <= now())
                order by due_at
                limit 1
                for update skip locked)
        returning id, key, subject, body, html, attempts, now() - due_at
        """;

    private const string End = """
        update notifications set ended_at = now(), outcome = $3, last_error = $4, lease_until = null
         where id = $1 and attempts = $2 and ended_at is null
        """;

    // Keeps due_at: the age counts from the first due time, so that the mail is eventually given up.
    private const string PutBack = """
        update notifications set lease_until = now() + $3, last_error = coalesce($4, last_error)
         where id = $1 and attempts = $2 and ended_at is null
        """;

    private const string CallOff = "update notifications set ended_at = now(), outcome = 'called_off' where key = $1 and ended_at is null";

    private const string Forget = "delete from notifications where ended_at < now() - $1";

    private const string Known = "select value, noted_at from last_start where what = $1";

    private const string Note = """
        insert into last_start as known (what, value, noted_at) values ($1, $2, now())
        on conflict (what) do update set value = excluded.value, noted_at = excluded.noted_at where known.noted_at = $3
        """;

    public async Task<bool> AddAsync(Notification notification, CancellationToken cancellationToken) => await database.ExecuteAsync(
        Add,
        [
            Param.Of(Guid.NewGuid()), Param.Of(notification.Key), Param.Of(notification.Subject), Param.Of(notification.Text),
            Param.Of(notification.Html), Param.Of(notification.DueAt),
        ],
        cancellationToken) == 1;

    public async Task<OutgoingMail?> ClaimAsync(TimeSpan lease, CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        Claim,
        [Param.Of(lease)],
        static row => new OutgoingMail(
            row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.StringOrNull(4), row.GetInt32(5), row.GetTimeSpan(6)),
        cancellationToken)) is [var mail] ? mail : null;

    public async Task<bool> EndAsync(OutgoingMail mail, bool sent, string? error, CancellationToken cancellationToken) => await database.ExecuteAsync(
        End, [Param.Of(mail.Id), Param.Of(mail.Attempts), Param.Of(sent ? "sent" : "given_up"), Param.Of(error)], cancellationToken) == 1;

    public async Task<bool> PutBackAsync(OutgoingMail mail, TimeSpan pause, string? error, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(PutBack, [Param.Of(mail.Id), Param.Of(mail.Attempts), Param.Of(pause), Param.Of(error)], cancellationToken) == 1;

    public async Task<bool> CallOffAsync(string key, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(CallOff, [Param.Of(key)], cancellationToken) == 1;

    public Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Forget, [Param.Of(keep)], cancellationToken);

    public async Task<KnownValue?> KnownAsync(string what, CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        Known, [Param.Of(what)], static row => new KnownValue(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)), cancellationToken)) is [var known]
        ? known
        : null;

    public async Task<bool> NoteAsync(string what, KnownValue? before, string value, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Note, [Param.Of(what), Param.Of(value), Param.Of(before?.NotedAt)], cancellationToken) == 1;
}
