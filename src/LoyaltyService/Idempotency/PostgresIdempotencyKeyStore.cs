using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Idempotency;

/// <summary>Idempotency keys in PostgreSQL: one statement per step, so one implicit serializable transaction and one round trip.</summary>
internal sealed class PostgresIdempotencyKeyStore(PostgresDatabase database) : IIdempotencyKeyStore
{
    // Insert before reading: under serializable isolation, a lookup of a missing key conflicts with every insert into the same index page. An
    // existing row is neither locked nor written, so waiting repeats do not disturb the first call.
    private const string Claim = """
        with claimed as (
            insert into idempotency_keys (key, fingerprint, created_at, busy_until) values ($1, $2, now(), now() + $3)
            on conflict (key) do nothing
            returning key, fingerprint, busy_until)
        select key, fingerprint, true as is_mine, busy_until, null::integer as status, null::integer as version, null::bytea as body,
               false as is_over
          from claimed
        union all
        select key, fingerprint, false, busy_until, status, version, body,
               case when busy_until is null then created_at <= now() - $4 else busy_until <= now() end
          from idempotency_keys
         where key = $1 and not exists (select from claimed)
        """;

    private const string TakeOver = """
        update idempotency_keys
           set fingerprint = $2, created_at = now(), busy_until = now() + $3, status = null, version = null, body = null
         where key = $1 and case when busy_until is null then created_at <= now() - $4 else busy_until <= now() end
        returning key, fingerprint, true as is_mine, busy_until, status, version, body, false as is_over
        """;

    private const string Complete = """
        update idempotency_keys set busy_until = null, status = $3, version = $4, body = $5
         where key = $1 and busy_until = $2
        """;

    private const string Release = "delete from idempotency_keys where key = $1 and busy_until = $2";

    private const string Forget = """
        delete from idempotency_keys
         where key = any (array(
               select key from idempotency_keys
                where created_at <= now() - $1 and (busy_until is null or busy_until <= now())
                order by created_at
                limit $2
                  for update skip locked))
        """;

    public async Task<IdempotencyKey> ClaimAsync(
        Guid key, Guid fingerprint, TimeSpan lease, TimeSpan window, CancellationToken cancellationToken)
    {
        NpgsqlParameter[] parameters = [Param.Of(key), Param.Of(fingerprint), Param.Of(lease), Param.Of(window)];
        while (true)
        {
            var found = await database.QueryAsync(Claim, parameters, ReadFound, cancellationToken)
                ?? throw new InvalidDataException("An idempotency key that refused its double is not there.");
            if (!found.IsOver)
                return found.Key;
            // Null: another call was faster. The next lookup finds its claim.
            if (await database.QueryAsync(TakeOver, parameters, ReadFound, cancellationToken) is { } taken)
                return taken.Key;
        }
    }

    public async Task<bool> CompleteAsync(IdempotencyKey claim, Replay answer, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            Complete,
            [Param.Of(claim.Key), Param.Of(claim.BusyUntil), Param.Of(answer.Status), Param.Of(answer.Version), Param.Of(answer.Body)],
            cancellationToken) == 1;

    public Task ReleaseAsync(IdempotencyKey claim, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Release, [Param.Of(claim.Key), Param.Of(claim.BusyUntil)], cancellationToken);

    public Task<int> ForgetAsync(TimeSpan window, int limit, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Forget, [Param.Of(window), Param.Of(limit)], cancellationToken);

    private static Found ReadFound(NpgsqlDataReader row)
    {
        var (key, fingerprint) = (row.GetGuid(0), row.GetGuid(1));
        return new Found(
            new IdempotencyKey(
                key, fingerprint, row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3),
                row.IsDBNull(4) ? null : new Replay(fingerprint, row.GetInt32(4), row.GetInt32(5), row.GetFieldValue<byte[]>(6))),
            row.GetBoolean(7));
    }

    /// <param name="IsOver">The lease has expired, or the answer is older than the window: the key is free.</param>
    private sealed record Found(IdempotencyKey Key, bool IsOver);
}
