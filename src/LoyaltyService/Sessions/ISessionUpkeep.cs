using System.Globalization;

namespace LoyaltyService.Sessions;

/// <summary>
/// The jobs' changes of many sessions, in batches along an indexed time that never changes; PostgreSQL or SQLite, which pass the same contract tests.
/// A batch reads a bounded number of rows and is one transaction. A call runs batch after batch for as long as it may.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionUpkeep
{
    /// <summary>
    /// Fails overdue sessions with the reason <c>expired</c> and soft-deletes them; those that waited for PDI leave the queue. A finalizing session
    /// does not expire.
    /// </summary>
    /// <param name="from">Where the walk along the expiry times continues.</param>
    /// <param name="until">Sessions that expired by this time.</param>
    /// <param name="limit">
    /// The most rows a batch reads. In PostgreSQL a batch is smaller if it would write more WAL than a commit can wait for.
    /// </param>
    /// <param name="time">No batch starts after this time; zero for one batch. SQLite always runs one.</param>
    Task<WalkBatch> ExpireAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken);

    /// <summary>
    /// Moves sessions that were finalized or failed by this time to the archive with their events, in one statement, so that each is always in exactly one
    /// place. A session closed by then was created by then, so the walk follows the creation time; it skips sessions that are open or closed later.
    /// </summary>
    Task<WalkBatch> ArchiveAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken);
}

/// <summary>A position in the walk: every session before it is done.</summary>
internal sealed record WalkPosition(DateTimeOffset At, Guid Id)
{
    public static readonly WalkPosition Start = new(DateTimeOffset.UnixEpoch);

    public WalkPosition(DateTimeOffset at)
        : this(at, Guid.Empty)
    {
    }

    /// <summary>Parses the output of <see cref="ToString"/>; null for null.</summary>
    public static WalkPosition? Parse(string? text) => text?.Split(' ') is [var time, var id]
        ? new WalkPosition(DateTimeOffset.ParseExact(time, "O", CultureInfo.InvariantCulture), Guid.Parse(id))
        : null;

    public override string ToString() => $"{At.UtcDateTime:O} {Id}";
}

/// <param name="Changed">The number of changed sessions in all batches of the call.</param>
/// <param name="Reached">The last session that was read; null without one.</param>
internal sealed record WalkBatch(int Changed, WalkPosition? Reached);
