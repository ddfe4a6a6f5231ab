using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Idempotency;

/// <summary>Idempotency keys in one SQLite file: the statements of <see cref="PostgresIdempotencyKeyStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteIdempotencyKeyStore(SqliteDatabase database) : IIdempotencyKeyStore
{
    private const string Now = SqliteValues.Now;

    private const string Columns = "key, fingerprint, busy_until, status, version, body";

    private const string Claim = $"""
        insert into idempotency_keys (key, fingerprint, created_at, busy_until) values ($key, $fingerprint, {Now}, {Now} + $lease)
        on conflict (key) do update
           set fingerprint = excluded.fingerprint, created_at = excluded.created_at, busy_until = excluded.busy_until,
               status = null, version = null, body = null
         where case when busy_until is null then created_at <= {Now} - $window else busy_until <= {Now} end
        returning {Columns}
        """;

    private const string Find = $"select {Columns} from idempotency_keys where key = $key";

    private const string Complete = """
        update idempotency_keys set busy_until = null, status = $status, version = $version, body = $body
         where key = $key and busy_until = $busy_until
        """;

    private const string Release = "delete from idempotency_keys where key = $key and busy_until = $busy_until";

    private const string Forget = $"""
        delete from idempotency_keys
         where key in (
               select key from idempotency_keys
                where created_at <= {Now} - $window and (busy_until is null or busy_until <= {Now})
                order by created_at
                limit $limit)
        """;

    public Task<IdempotencyKey> ClaimAsync(
        Guid key, Guid fingerprint, TimeSpan lease, TimeSpan window, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            using var claim = connection.Command(Claim,
                ("$key", key.ToBlob()), ("$fingerprint", fingerprint.ToBlob()),
                ("$lease", lease.ToMilliseconds()), ("$window", window.ToMilliseconds()));
            if (claim.First(ReadKey) is { } claimed)
                return claimed with { IsMine = true };

            using var find = connection.Command(Find, ("$key", key.ToBlob()));
            return find.First(ReadKey) ?? throw new InvalidDataException("An idempotency key that refused its double is not there.");
        }, cancellationToken);

    public Task<bool> CompleteAsync(IdempotencyKey claim, Replay answer, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Complete,
            ("$key", claim.Key.ToBlob()), ("$busy_until", claim.BusyUntil!.Value.ToUnixTimeMilliseconds()),
            ("$status", answer.Status), ("$version", answer.Version), ("$body", answer.Body)) == 1, cancellationToken);

    public Task ReleaseAsync(IdempotencyKey claim, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Release,
            ("$key", claim.Key.ToBlob()), ("$busy_until", claim.BusyUntil!.Value.ToUnixTimeMilliseconds())), cancellationToken);

    public Task<int> ForgetAsync(TimeSpan window, int limit, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Forget, ("$window", window.ToMilliseconds()), ("$limit", limit)), cancellationToken);

    private static IdempotencyKey ReadKey(SqliteDataReader row)
    {
        var (key, fingerprint) = (row.GuidAt(0), row.GuidAt(1));
        return new IdempotencyKey(
            key, fingerprint, IsMine: false, row.IsDBNull(2) ? null : row.TimeAt(2),
            row.IsDBNull(3) ? null : new Replay(fingerprint, row.GetInt32(3), row.GetInt32(4), row.GetFieldValue<byte[]>(5)));
    }
}
