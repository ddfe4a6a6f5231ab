using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Sessions;

/// <summary>
/// Sessions in PostgreSQL, at the connection's default isolation, which <see cref="PostgresDatabase"/> sets to serializable. Lookups, inserts and
/// changes are one statement each; inserts and changes are committed in batches (<see cref="PostgresSessionCommits"/>). The update takes the row lock,
/// the version compare protects callers with an old copy, and <see cref="PostgresDatabase"/> retries serialization failures.
/// </summary>
internal sealed class PostgresSessionStore(PostgresDatabase database, PostgresSessionCommits commits) : ISessionStore
{
    private const string Columns = PostgresSessionRow.Columns;

    // The unique sale_key decides which call was first, not a lookup before the insert.
    private const string Create = $"""
        with created as (
            insert into sessions (id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata,
                                  identify_fingerprint, trace_id, created_at, expires_at, status, version, busy_until)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), now() + $11, 'pending', 1, now() + $12)
            on conflict (sale_key) do nothing
            returning *),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, trace_id)
            select id, version, '{SessionEventText.Created}', status, '{Causes.Request}', created_at, 0, 0, trace_id from created)
        """;

    private const string CreateOnly = Create + $"\nselect {Columns} from created";

    private const string CreateAndWait = Create + $"""
        ,
        waiting as (insert into pdi_work (session_id, created_at, due_at) select id, created_at, created_at from created)
        select {Columns} from created
        """;

    // An insert that met an existing row has not locked it, so a separate statement reads the row.
    private const string FindBySaleKey = $"select {Columns} from sessions where sale_key = $1";

    private const string FindById = $"select {Columns} from sessions where id = $1";

    private const string FindArchivedBySaleKey = $"select {Columns} from sessions_archive where sale_key = $1";

    private const string FindArchivedById = $"select {Columns} from sessions_archive where id = $1";

    private const string FindOwned = FindById + " and client = $2";

    private const string FindArchivedOwned = FindArchivedById + " and client = $2";

    // No caller knows this session yet: its sale was archived at the moment in which it was sent again.
    private const string TakeBack = """
        with gone as (delete from sessions where id = $1 and version = 1 returning id),
        unneeded as (delete from pdi_work where session_id in (select id from gone))
        delete from session_events where session_id in (select id from gone)
        """;

    private const string Claim = """
        update sessions set busy_until = now() + $3
         where id = $1 and version = $2 and status = 'pending' and (busy_until is null or busy_until <= now())
        """;

    private const string Release = "update sessions set busy_until = null where id = $1 and version = $2 and busy_until is not null";

    private const string Events = $"select {PostgresSessionRow.EventColumns} from session_events where session_id = $1 order by version";

    private const string ArchivedEvents = $"select {PostgresSessionRow.EventColumns} from session_events_archive where session_id = $1 order by version";

    public async Task<(Session Session, bool Created)> CreateAsync(
        Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken)
    {
        try
        {
            // Read the archive after the insert, with its own snapshot: a sale that is archived meanwhile frees the unique key, and an older snapshot would not
            // show where it went.
            var created = await commits.CreateAsync(session.SaleKey, Query(busyFor is null ? CreateAndWait : CreateOnly, CreateParameters(session, lifetime, busyFor)));
            var archived = await commits.FindAsync(session.SaleKey, Query(FindArchivedBySaleKey, [Param.Of(session.SaleKey)]));
            if (archived is not null && created is not null)
                await database.ExecuteAsync(TakeBack, [Param.Of(created.Id)], CancellationToken.None);
            if ((archived ?? created) is { } known)
                return (known, archived is null);
        }
        catch (DatabaseUnavailableException broken) when (broken.IsOutcomeUnknown)
        {
            // The result of the commit was lost. The id shows whose session exists, if any.
            if (await FindBySaleKeyAsync(session.SaleKey, cancellationToken) is { } stored)
                return (stored, stored.Id == session.Id);
            throw;
        }

        return (
            await FindBySaleKeyAsync(session.SaleKey, cancellationToken)
                ?? throw new InvalidDataException("A session that refused its double is not there."),
            false);
    }

    // In this order: the second lookup finds a session that is archived between the two.
    public async Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await database.QueryAsync(FindById, [Param.Of(id)], PostgresSessionRow.Read, cancellationToken)
        ?? await database.QueryAsync(FindArchivedById, [Param.Of(id)], PostgresSessionRow.Read, cancellationToken);

    // The statement checks the client: for another client's session both lookups find nothing, and take as long as for a missing one.
    public async Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken) =>
        await commits.FindAsync(id, Query(FindOwned, [Param.Of(id), Param.Of(client)]))
        ?? await database.QueryAsync(FindArchivedOwned, [Param.Of(id), Param.Of(client)], PostgresSessionRow.Read, cancellationToken);

    private async Task<Session?> FindBySaleKeyAsync(Guid saleKey, CancellationToken cancellationToken) =>
        await database.QueryAsync(FindBySaleKey, [Param.Of(saleKey)], PostgresSessionRow.Read, cancellationToken)
        ?? await database.QueryAsync(FindArchivedBySaleKey, [Param.Of(saleKey)], PostgresSessionRow.Read, cancellationToken);

    public async Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken)
    {
        var (statement, parameters) = PostgresSessionChange.StatementOf(change);
        try
        {
            return await commits.ChangeAsync(change.Before.Id, new PostgresQuery<Session>(
                statement, parameters, row => change.After with { WorkRow = ReadPlace(row) }));
        }
        catch (DatabaseUnavailableException broken) when (broken.IsOutcomeUnknown)
        {
            // The result of the commit was lost. If the row is exactly what this change produces, version included, this change produced it.
            if (await FindAsync(change.Before.Id, cancellationToken) is { } stored && Content(stored) == Content(change.After))
                return stored;
            throw;
        }
    }

    private static RowPlace? ReadPlace(NpgsqlDataReader row) =>
        !row.IsDBNull(0) && row.GetFieldValue<NpgsqlTid>(0) is var place ? new RowPlace(place.BlockNumber, place.OffsetNumber) : null;

    private static Session Content(Session session) =>
        session with { IsBusy = false, IsExpired = false, FinalizedAt = null, WorkRow = null };

    public async Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Claim, [Param.Of(session.Id), Param.Of(session.Version), Param.Of(busyFor)], cancellationToken) == 1;

    public Task ReleaseAsync(Session session, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Release, [Param.Of(session.Id), Param.Of(session.Version)], cancellationToken);

    public async Task<IReadOnlyList<SessionEventRow>> EventsAsync(Guid id, CancellationToken cancellationToken) =>
        await database.ListAsync(Events, [Param.Of(id)], PostgresSessionRow.ReadEvent, cancellationToken) is [_, ..] events
            ? events
            : await database.ListAsync(ArchivedEvents, [Param.Of(id)], PostgresSessionRow.ReadEvent, cancellationToken);

    private static PostgresQuery<Session> Query(string statement, NpgsqlParameter[] parameters) => new(statement, parameters, PostgresSessionRow.Read);

    private static NpgsqlParameter[] CreateParameters(Session session, TimeSpan lifetime, TimeSpan? busyFor) =>
    [
        Param.Of(session.Id), Param.Of(session.SaleKey), Param.Of(session.Client), Param.Of(session.ChannelId),
        Param.Of(session.TransactionId), Param.Of(session.StoreId), Param.Of(session.CustomerId), Param.Of(session.Metadata),
        Param.Of(session.IdentifyFingerprint), Param.Of(session.TraceId), Param.Of(lifetime), Param.Of(busyFor),
    ];
}
