using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>The statements of <see cref="PostgresNotificationStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteNotificationStore(SqliteDatabase database) : INotificationStore
{
    private const string Now = SqliteValues.Now;

    private const string Add = $"""
        insert into notifications (id, key, subject, body, html, created_at, due_at)
        values ($id, $key, $subject, $body, $html, {Now}, coalesce($due_at, {Now}))
        on conflict (key) do nothing
        """;

    private const string Claim = $"""
        update notifications set lease_until = {Now} + $lease, attempts = attempts + 1
         where id = (
               select id from notifications
                where ended_at is null and due_at <= {Now} and (lease_until is null or lease_until <= {Now})
                order by due_at
                limit 1)
        returning id, key, subject, body, html, attempts, {Now} - due_at
        """;

    private const string End = $"""
        update notifications set ended_at = {Now}, outcome = $outcome, last_error = $error, lease_until = null
         where id = $id and attempts = $attempts and ended_at is null
        """;

    private const string PutBack = $"""
        update notifications set lease_until = {Now} + $pause, last_error = coalesce($error, last_error)
         where id = $id and attempts = $attempts and ended_at is null
        """;

    private const string CallOff = $"update notifications set ended_at = {Now}, outcome = 'called_off' where key = $key and ended_at is null";

    private const string Forget = $"delete from notifications where ended_at < {Now} - $keep";

    private const string Known = "select value, noted_at from last_start where what = $what";

    private const string Note = $"""
        insert into last_start (what, value, noted_at) values ($what, $value, {Now})
        on conflict (what) do update set value = excluded.value, noted_at = excluded.noted_at where noted_at = $before
        """;

    public Task<bool> AddAsync(Notification notification, CancellationToken cancellationToken) => ChangesOneAsync(
        Add, cancellationToken,
        ("$id", Guid.NewGuid().ToBlob()), ("$key", notification.Key), ("$subject", notification.Subject), ("$body", notification.Text),
        ("$html", notification.Html), ("$due_at", notification.DueAt?.ToUnixTimeMilliseconds()));

    public Task<OutgoingMail?> ClaimAsync(TimeSpan lease, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        using var claim = connection.Command(Claim, ("$lease", lease.ToMilliseconds()));
        return claim.First(static row => new OutgoingMail(
            row.GuidAt(0), row.GetString(1), row.GetString(2), row.GetString(3), row.StringOrNull(4), row.GetInt32(5),
            TimeSpan.FromMilliseconds(row.GetInt64(6))));
    }, cancellationToken);

    public Task<bool> EndAsync(OutgoingMail mail, bool sent, string? error, CancellationToken cancellationToken) => ChangesOneAsync(
        End, cancellationToken,
        ("$id", mail.Id.ToBlob()), ("$attempts", mail.Attempts), ("$outcome", sent ? "sent" : "given_up"), ("$error", error));

    public Task<bool> PutBackAsync(OutgoingMail mail, TimeSpan pause, string? error, CancellationToken cancellationToken) => ChangesOneAsync(
        PutBack, cancellationToken,
        ("$id", mail.Id.ToBlob()), ("$attempts", mail.Attempts), ("$pause", pause.ToMilliseconds()), ("$error", error));

    public Task<bool> CallOffAsync(string key, CancellationToken cancellationToken) => ChangesOneAsync(CallOff, cancellationToken, ("$key", key));

    public Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Forget, ("$keep", keep.ToMilliseconds())), cancellationToken);

    public Task<KnownValue?> KnownAsync(string what, CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var known = connection.Command(Known, ("$what", what));
        return known.First(static row => new KnownValue(row.GetString(0), row.TimeAt(1)));
    }, cancellationToken);

    public Task<bool> NoteAsync(string what, KnownValue? before, string value, CancellationToken cancellationToken) => ChangesOneAsync(
        Note, cancellationToken, ("$what", what), ("$value", value), ("$before", before?.NotedAt.ToUnixTimeMilliseconds()));

    private Task<bool> ChangesOneAsync(string statement, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        database.WriteAsync(connection => connection.Execute(statement, parameters) == 1, cancellationToken);
}
