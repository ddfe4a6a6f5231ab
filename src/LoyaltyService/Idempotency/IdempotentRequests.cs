using LoyaltyService.Http;
using LoyaltyService.Security;
using Microsoft.Extensions.Primitives;

namespace LoyaltyService.Idempotency;

/// <summary>
/// The <c>Idempotency-Key</c> header of any POST. The first call claims the key in the database, runs, and stores its answer; a later call with the
/// same key and an equivalent body gets that answer again, byte for byte, for ten minutes. Redis only saves a database lookup. Unsettled
/// answers are not stored: the key becomes free, and a repeat sees the current state. If the holder dies, the key is free when its lease ends.
/// </summary>
internal sealed partial class IdempotentRequests(
    IIdempotencyKeyStore keys, IReplayCache replays, RepeatLimits limits, ReplayMetrics metrics, TimeProvider clock, ILogger<IdempotentRequests> logger)
{
    private const int MaxLength = 255;
    private const string Operation = "key";

    /// <param name="context">The request; without the header, only <paramref name="run"/> is called.</param>
    /// <param name="body">The valid body; null for a route without one.</param>
    /// <param name="run">The use case.</param>
    /// <param name="alsoSettledBy">A status besides 200 that is final, such as PDI's rejection (400) in identify.</param>
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

    /// <summary>A key belongs to its client and route; values in the path are part of the route.</summary>
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
            // Not cancellable: an interrupted claim may be in the database without this call knowing.
            var found = await keys.ClaimAsync(key, fingerprint, limits.KeyLease, IReplayCache.Window, CancellationToken.None);
            if (found.IsMine)
                return await RunFirstAsync(found, run, alsoSettledBy);
            if (found.Answer is { } answer)
            {
                // Answered before this call started: the cache should have had it.
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

    /// <summary>Stores a settled answer, or releases the key. Not cancellable: a repeat needs it even if this caller is gone.</summary>
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
            // The use case has completed, so the caller gets its answer. The key becomes free with its lease, and a repeat finds what the use case
            // itself stored.
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
