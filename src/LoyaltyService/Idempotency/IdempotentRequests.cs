using LoyaltyService.Http;
using LoyaltyService.Security;
using Microsoft.Extensions.Primitives;

namespace LoyaltyService.Idempotency;

/// <summary>
/// The <c>Idempotency-Key</c> header of any POST: the first call with a key claims it in the database, runs, and leaves its answer;
/// whoever comes with the same key and a body of the same meaning gets that answer again, byte for byte, for ten minutes. Redis only
/// saves the look at the database. What is not settled is not remembered: the key comes free, and a repeat is answered by what is
/// true then. A call whose holder died holds its key until the lease is over.
/// </summary>
internal sealed partial class IdempotentRequests(
    IIdempotencyKeyStore keys, IReplayCache replays, RepeatLimits limits, ReplayMetrics metrics, TimeProvider clock, ILogger<IdempotentRequests> logger)
{
    private const int MaxLength = 255;
    private const string Operation = "key";

    /// <param name="context">The request; without the header, <paramref name="run"/> is all that happens.</param>
    /// <param name="body">Its body, which is valid; null for a route that takes none.</param>
    /// <param name="run">The use case.</param>
    /// <param name="alsoSettledBy">A status besides 200 that is the last word on the matter, as PDI's refusal (400) is in identify.</param>
    public Task<Answer<T>> RunAsync<T>(HttpContext context, IRequestBody? body, Func<Task<Answer<T>>> run, int? alsoSettledBy = null)
        where T : class
    {
        if (!context.Request.Headers.TryGetValue(Headers.IdempotencyKey, out var header))
            return run();
        return IsKey(header)
            ? RunOnceAsync(KeyOf(context, header!), body?.ToFingerprint() ?? Guid.Empty, run, alsoSettledBy, context.RequestAborted)
            : Task.FromResult<Answer<T>>(Rejection.Validation(
                Headers.IdempotencyKey, $"must be sent once, with 1 to {MaxLength} printable ASCII characters."));
    }

    /// <summary>The key belongs to the client and the route; a route with values in its path is a route of its own for each of them.</summary>
    internal static Guid KeyOf(string client, string header, string route, params IEnumerable<string?> routeValues)
    {
        var key = new Fingerprint("idempotency-key");
        key.Add(client);
        key.Add(header);
        key.Add(route);
        foreach (var value in routeValues)
            key.Add(value);
        return key.ToGuid();
    }

    private static Guid KeyOf(HttpContext context, string header)
    {
        var route = ((RouteEndpoint)context.GetEndpoint()!).RoutePattern;
        return KeyOf(
            context.Client(), header, route.RawText!, route.Parameters.Select(parameter => context.GetRouteValue(parameter.Name)?.ToString()));
    }

    private static bool IsKey(StringValues header) =>
        header.Count == 1 && header[0] is { Length: >= 1 and <= MaxLength } text && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private async Task<Answer<T>> RunOnceAsync<T>(
        Guid key, Guid fingerprint, Func<Task<Answer<T>>> run, int? alsoSettledBy, CancellationToken cancellationToken)
        where T : class
    {
        if (await replays.FindAsync(new ReplayKey(Operation, key)) is { } replay)
        {
            metrics.RepeatAnswered(fromCache: true);
            return Repeat<T>(replay, fingerprint);
        }

        var wait = new RepeatWait(limits, clock);
        while (true)
        {
            // Whole even if the caller leaves: a claim that is cut off in the middle may be one that nobody knows of.
            var found = await keys.ClaimAsync(key, fingerprint, limits.KeyLease, IReplayCache.Window, CancellationToken.None);
            if (found.IsMine)
                return await RunFirstAsync(found, run, alsoSettledBy);
            if (found.Answer is { } answer)
            {
                // Answered before this call looked: the cache should have had it.
                if (!wait.HasWaited)
                    metrics.RepeatAnswered(fromCache: false);
                return Repeat<T>(answer, fingerprint);
            }

            if (found.Fingerprint != fingerprint)
                return KeyReused();
            if (!await wait.NextAsync(cancellationToken))
                return IdempotencyRejections.InProgress("An earlier call with this Idempotency-Key is still running.");
        }
    }

    private async Task<Answer<T>> RunFirstAsync<T>(IdempotencyKey claim, Func<Task<Answer<T>>> run, int? alsoSettledBy)
        where T : class
    {
        Replay? settled = null;
        try
        {
            var answer = await run();
            if (answer.Status == StatusCodes.Status200OK || answer.Status == alsoSettledBy)
                settled = new Replay(claim.Fingerprint, answer.Status, answer.Version ?? 0, answer.Body);
            return answer;
        }
        finally
        {
            await EndAsync(claim, settled);
        }
    }

    /// <summary>Stores what is settled, or gives the key back. The caller may have left; the next one has not.</summary>
    private async Task EndAsync(IdempotencyKey claim, Replay? settled)
    {
        try
        {
            if (settled is null)
                await keys.ReleaseAsync(claim, CancellationToken.None);
            else if (await keys.CompleteAsync(claim, settled, CancellationToken.None))
                replays.Remember(new ReplayKey(Operation, claim.Key), settled);
            else
                Log.KeyNotSettled(logger, "The call took longer than its lease, and another one has the key.");
        }
        catch (LoyaltyException lost)
        {
            // What the use case did is done, and its answer is true: the caller gets it. The key comes free with its lease, and a
            // repeat then finds what the use case itself remembers.
            Log.KeyNotSettled(logger, lost.Message);
        }
    }

    private static Answer<T> Repeat<T>(Replay replay, Guid fingerprint)
        where T : class =>
        replay.Fingerprint == fingerprint
            ? replay.ToAnswer<T>()
            : KeyReused();

    private static Rejection KeyReused() => IdempotencyRejections.KeyReused("The " + Headers.IdempotencyKey);

    private static partial class Log
    {
        [LoggerMessage(EventName = "KeyNotSettled", Level = LogLevel.Warning, Message = "An Idempotency-Key was neither completed nor released: {reason}")]
        public static partial void KeyNotSettled(ILogger logger, string reason);
    }
}
