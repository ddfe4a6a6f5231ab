using System.Globalization;

namespace LoyaltyService.Sessions;

/// <summary>
/// What the jobs do to many sessions, in batches along a time that never changes and has an index: PostgreSQL or SQLite, held to the same
/// contract tests. A batch looks at a bounded number of rows, whatever it changes, and is one transaction; a call does batch after batch for as long as
/// it may.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionUpkeep
{
    /// <summary>
    /// Fails what is overdue, with the reason <c>expired</c>, and deletes it softly; what waits for PDI to identify it waits no longer.
    /// A session that is finalizing does not expire.
    /// </summary>
    /// <param name="from">Where the walk along the time of expiry stands.</param>
    /// <param name="until">What expired up to then.</param>
    /// <param name="limit">
    /// How many rows a batch looks at, at most: PostgreSQL takes as many as write no more than a commit may wait for.
    /// </param>
    /// <param name="time">After how long no further batch is begun; zero for one batch. SQLite does one in any case.</param>
    Task<WalkBatch> ExpireAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken);

    /// <summary>
    /// Moves what was finalized or failed until then to the archive, with its events, in one statement: it is never in both or in none.
    /// What was closed until then was created until then, so the walk goes along the time of creation. It meets only what is not in the
    /// archive yet, and passes over what is open or was closed later.
    /// </summary>
    Task<WalkBatch> ArchiveAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken);
}

/// <summary>A place on the walk along the sessions: all before it are done.</summary>
internal sealed record WalkPosition(DateTimeOffset At, Guid Id)
{
    public static readonly WalkPosition Start = new(DateTimeOffset.UnixEpoch);

    public WalkPosition(DateTimeOffset at)
        : this(at, Guid.Empty)
    {
    }

    /// <summary>What <see cref="ToString"/> wrote; null for nothing.</summary>
    public static WalkPosition? Parse(string? text) => text?.Split(' ') is [var time, var id]
        ? new WalkPosition(DateTimeOffset.ParseExact(time, "O", CultureInfo.InvariantCulture), Guid.Parse(id))
        : null;

    public override string ToString() => $"{At.UtcDateTime:O} {Id}";
}

/// <param name="Changed">How many sessions were changed, in all batches of the call.</param>
/// <param name="Reached">The last one that was looked at; null if there was none.</param>
internal sealed record WalkBatch(int Changed, WalkPosition? Reached);
