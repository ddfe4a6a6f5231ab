using LoyaltyService.Security;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Sessions;

/// <summary>Sessions in one SQLite file: the statements of <see cref="PostgresSessionStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteSessionStore(SqliteDatabase database) : ISessionStore
{
    private const string Now = SqliteValues.Now;

    private const string Columns = SqliteSessionRow.Columns;

    private const string Insert = $"""
        insert into sessions (id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata,
                              identify_fingerprint, trace_id, created_at, expires_at, status, version, busy_until)
        values ($id, $sale_key, $client, $channel_id, $transaction_id, $store_id, $customer_id, $metadata,
                $identify_fingerprint, $trace_id, {Now}, {Now} + $lifetime, 'pending', 1, {Now} + $busy_for)
        on conflict (sale_key) do nothing
        """;

    private const string InsertCreated = $"""
        insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, trace_id)
        select id, version, '{SessionEventText.Created}', status, '{Causes.Request}', created_at, 0, 0, trace_id
          from sessions where sale_key = $sale_key
        """;

    private const string Wait = $"insert into pdi_work (session_id, created_at, due_at) values ($id, {Now}, {Now})";

    private const string FindBySaleKey = $"select {Columns} from sessions where sale_key = $sale_key";

    private const string FindArchivedBySaleKey = $"select {Columns} from sessions_archive where sale_key = $sale_key";

    private const string FindById = $"""
        select {Columns} from sessions where id = $id
        union all
        select {Columns} from sessions_archive where id = $id
        """;

    private const string FindOwned = $"""
        select {Columns} from sessions where id = $id and client = $client
        union all
        select {Columns} from sessions_archive where id = $id and client = $client
        """;

    private const string Update = $"""
        update sessions
           set status = $status, version = version + 1, busy_until = null,
               pdi_session_id = $pdi_session_id, customer_name = $customer_name, current_points = $current_points, tier = $tier,
               identified_version = $identified_version, earned_points = $earned_points, reward_source = $reward_source,
               finalize_fingerprint = $finalize_fingerprint, finalize_key = $finalize_key, final_amount = $final_amount,
               apply_rewards = $apply_rewards, redeem_points = $redeem_points, redeemed_points = $redeemed_points,
               new_balance = $new_balance, receipt_id = $receipt_id,
               finalized_at = case when $status = 'finalized' then {Now} end, failed_at = case when $status = 'failed' then {Now} end,
               failure_reason = $failure_reason, failure_code = $failure_code, failure_message = $failure_message
         where id = $id and version = $version and status = $from_status
        """;

    private const string InsertEvent = $"""
        insert into session_events (session_id, version, event, status, cause, at, amount,
                                    earned_points, redeemed_points, reward_source, detail, trace_id)
        values ($id, $version + 1, $event, $status, $cause, {Now}, $amount,
                $earned_points, $redeemed_points, $reward_source, $detail, $trace_id)
        """;

    // Due time, age and attempts date from before the intent.
    private const string Owe = $"""
        insert into pdi_work (session_id, created_at, due_at, lease_until) values ($id, {Now}, {Now}, {Now} + $lease)
        on conflict (session_id) do update
           set due_at = excluded.due_at, lease_until = excluded.lease_until, fence = fence + 1,
               attempts = 0, replayed_at = excluded.created_at, parked_at = null, last_error = null
        """;

    private const string Settle = "delete from pdi_work where session_id = $id";

    private const string IsOwn = $"select 1 from pdi_work where session_id = $id and attempts = 0 and lease_until > {Now}";

    private const string IsParked = "select 1 from pdi_work where session_id = $id and parked_at is not null";

    private const string Claim = $"""
        update sessions set busy_until = {Now} + $busy_for
         where id = $id and version = $version and status = 'pending' and (busy_until is null or busy_until <= {Now})
        """;

    private const string Release = "update sessions set busy_until = null where id = $id and version = $version and busy_until is not null";

    private const string Events = $"""
        select {SqliteSessionRow.EventColumns} from session_events where session_id = $id
        union all
        select {SqliteSessionRow.EventColumns} from session_events_archive where session_id = $id
         order by version
        """;

    public Task<(Session Session, bool Created)> CreateAsync(
        Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            using var findArchived = connection.Command(FindArchivedBySaleKey, ("$sale_key", session.SaleKey.ToBlob()));
            if (findArchived.First(SqliteSessionRow.Read) is { } archived)
                return (archived, false);

            using var insert = connection.Command(Insert,
                ("$id", session.Id.ToBlob()), ("$sale_key", session.SaleKey.ToBlob()), ("$client", session.Client),
                ("$channel_id", session.ChannelId), ("$transaction_id", session.TransactionId), ("$store_id", session.StoreId),
                ("$customer_id", session.CustomerId), ("$metadata", session.Metadata),
                ("$identify_fingerprint", session.IdentifyFingerprint.ToBlob()), ("$trace_id", session.TraceId),
                ("$lifetime", lifetime.ToMilliseconds()), ("$busy_for", busyFor?.ToMilliseconds()));
            var created = insert.ExecuteNonQuery() == 1;
            if (created)
                connection.Execute(InsertCreated, ("$sale_key", session.SaleKey.ToBlob()));
            if (created && busyFor is null)
                connection.Execute(Wait, ("$id", session.Id.ToBlob()));

            using var find = connection.Command(FindBySaleKey, ("$sale_key", session.SaleKey.ToBlob()));
            return (find.First(SqliteSessionRow.Read) ?? throw new InvalidDataException("A session that refused its double is not there."), created);
        }, cancellationToken);

    public Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var find = connection.Command(FindById, ("$id", id.ToBlob()));
            return find.First(SqliteSessionRow.Read);
        }, cancellationToken);

    public Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var find = connection.Command(FindOwned, ("$id", id.ToBlob()), ("$client", client));
            return find.First(SqliteSessionRow.Read);
        }, cancellationToken);

    public Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            if (change.Work is PdiWorkChange.Abandoned && !HasWork(connection, IsParked, change.Before.Id))
                return null;
            if (change.Work is PdiWorkChange.Withdrawn && !HasWork(connection, IsOwn, change.Before.Id))
                return null;
            if (!Apply(connection, change))
                return null;

            connection.Execute(InsertEvent,
                ("$id", change.Before.Id.ToBlob()), ("$version", change.Before.Version), ("$event", change.Event.ToText()),
                ("$status", change.After.Status.ToText()), ("$cause", change.Cause), ("$amount", change.Amount.ToCents()),
                ("$earned_points", change.After.EarnedPoints), ("$redeemed_points", change.After.RedeemedPoints),
                ("$reward_source", change.After.RewardSource), ("$detail", change.Detail ?? change.After.Failure?.Code),
                ("$trace_id", change.TraceId));

            if (change.Work is PdiWorkChange.Owed)
                connection.Execute(Owe, ("$id", change.Before.Id.ToBlob()), ("$lease", change.WorkLease.ToMilliseconds()));
            else if (change.Work is PdiWorkChange.Settled or PdiWorkChange.Withdrawn or PdiWorkChange.Abandoned)
                connection.Execute(Settle, ("$id", change.Before.Id.ToBlob()));
            if (change.Audit is { } audit)
                SqliteAuditStore.Write(connection, audit);
            return change.After;
        }, cancellationToken);

    public Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Claim,
            ("$id", session.Id.ToBlob()), ("$version", session.Version), ("$busy_for", busyFor.ToMilliseconds())) == 1, cancellationToken);

    public Task ReleaseAsync(Session session, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Release,
            ("$id", session.Id.ToBlob()), ("$version", session.Version)), cancellationToken);

    public Task<IReadOnlyList<SessionEventRow>> EventsAsync(Guid id, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var events = connection.Command(Events, ("$id", id.ToBlob()));
            return events.All(SqliteSessionRow.ReadEvent);
        }, cancellationToken);

    private static bool HasWork(SqliteConnection connection, string such, Guid id)
    {
        using var command = connection.Command(such, ("$id", id.ToBlob()));
        return command.ExecuteScalar() is not null;
    }

    private static bool Apply(SqliteConnection connection, SessionChange change)
    {
        var (before, after) = (change.Before, change.After);
        return connection.Execute(Update,
            ("$id", before.Id.ToBlob()), ("$version", before.Version), ("$from_status", before.Status.ToText()),
            ("$status", after.Status.ToText()), ("$pdi_session_id", after.PdiSessionId), ("$customer_name", after.CustomerName),
            ("$current_points", after.CurrentPoints), ("$tier", after.Tier), ("$identified_version", after.IdentifiedVersion),
            ("$earned_points", after.EarnedPoints), ("$reward_source", after.RewardSource),
            ("$finalize_fingerprint", after.Intent?.Fingerprint.ToBlob()), ("$finalize_key", after.Intent?.PdiKey.ToBlob()),
            ("$final_amount", after.Intent?.FinalAmount.ToCents()), ("$apply_rewards", after.Intent?.ApplyRewards),
            ("$redeem_points", after.Intent?.RedeemPoints), ("$redeemed_points", after.RedeemedPoints),
            ("$new_balance", after.NewBalance), ("$receipt_id", after.ReceiptId), ("$failure_reason", after.Failure?.Reason),
            ("$failure_code", after.Failure?.Code), ("$failure_message", after.Failure?.Message)) == 1;
    }
}
