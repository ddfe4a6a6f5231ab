using System.Text.Json;
using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

/// <summary>
/// PDI's access token, in memory. Problem: every call needs a token, a token lives an hour, and neither an expiry nor a storm of
/// 401s may make callers wait or call the token endpoint more than once.
/// <para>
/// Idea: the token is one immutable object behind one reference. Reading it takes no lock. In its last five minutes the first reader
/// starts a renewal in the background while all go on with the old one; only when there is no usable token do callers wait, and then
/// all for the same renewal. No caller owns the renewal: one that disconnects does not cancel it for the others.
/// <see cref="Invalidate"/> names the token that was refused, so that the tenth 401 does not throw away the token that the first
/// one's renewal brought.
/// </para>
/// </summary>
internal sealed partial class PdiTokenProvider(
    PdiTokenClient client, PdiOptions options, TimeProvider clock, ILogger<PdiTokenProvider> logger)
{
    // What PDI's tokens live when it does not say: RFC 6749 leaves it to documentation, and PDI's is an hour.
    private const double DefaultLifetimeSeconds = 3600;

    // Shorter tokens than this cannot spare five minutes; they are used to 80 %.
    private static readonly TimeSpan ShortLifetime = TimeSpan.FromMinutes(10);

    private readonly Lock renewalLock = new();
    private PdiToken? current;
    private Task<PdiToken>? renewal;
    private long renewNotBefore = long.MinValue;

    /// <exception cref="PdiAuthenticationException">PDI answers, but gives no token.</exception>
    /// <exception cref="PdiUnavailableException">PDI's token endpoint does not answer.</exception>
    public ValueTask<PdiToken> GetAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetTimestamp();
        if (Volatile.Read(ref current) is not { } token || now >= token.UsableUntil)
            return new ValueTask<PdiToken>(Renew().WaitAsync(cancellationToken));
        if (now >= token.RenewFrom && now >= Volatile.Read(ref renewNotBefore))
            _ = Renew();
        return new ValueTask<PdiToken>(token);
    }

    /// <summary>PDI refused <paramref name="seen"/>: the next caller gets another one.</summary>
    public void Invalidate(PdiToken seen) => Interlocked.CompareExchange(ref current, null, seen);

    private Task<PdiToken> Renew()
    {
        lock (renewalLock)
        {
            // Another renewal may have completed before this caller took the lock.
            if (renewal is { IsCompleted: false } running)
                return running;
            if (Volatile.Read(ref current) is { } fresh && clock.GetTimestamp() < fresh.RenewFrom)
                return Task.FromResult(fresh);
            renewal = Task.Run(RenewAsync);
            // There may be no waiter. The failure is logged; observe it here.
            _ = renewal.ContinueWith(static task => task.Exception, TaskContinuationOptions.OnlyOnFaulted);
            return renewal;
        }
    }

    private async Task<PdiToken> RenewAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var timeout = new CancellationTokenSource(options.TokenTryTimeout, clock);
                var answer = await client.RequestAsync(timeout.Token);
                var token = Accept(answer);
                Volatile.Write(ref current, token);
                Log.TokenRenewed(logger, Lifetime(answer.ExpiresIn).TotalSeconds);
                return token;
            }
            catch (Exception failed) when (failed is HttpRequestException or JsonException or OperationCanceledException
                or InvalidOperationException)
            {
                Log.TokenRequestFailed(logger, attempt, failed.Message);
                if (attempt >= options.TokenTries)
                {
                    // While the old token is good, the next background try waits a little.
                    Volatile.Write(ref renewNotBefore, clock.GetTimestamp() + Ticks(PdiUnavailableException.DefaultRetryAfter));
                    throw Failure(failed);
                }
            }

            await Task.Delay(options.TokenFirstBackoff * Math.Pow(2, attempt - 1) * Random.Shared.NextDouble(), clock);
        }
    }

    /// <summary>
    /// No response: PDI is down, and the till continues without it. A response without a token: the credentials or the endpoint are wrong,
    /// and an operator must act (docs/decisions/0012-no-token-because-pdi-is-gone.md).
    /// </summary>
    private static LoyaltyException Failure(Exception failed) => failed is OperationCanceledException or HttpRequestException { StatusCode: null, HttpRequestError: not HttpRequestError.ConfigurationLimitExceeded }
        ? new PdiUnavailableException("PDI's token endpoint cannot be reached.", mayHaveReached: false, inner: failed)
        : new PdiAuthenticationException("PDI issues no access token. Check PDI_CLIENT_ID, PDI_CLIENT_SECRET and PDI's token endpoint.", failed);

    private PdiToken Accept(PdiTokenAnswer answer)
    {
        var usable = Lifetime(answer.ExpiresIn);
        var lead = usable > options.TokenRenewalLead ? options.TokenRenewalLead : usable / 5;
        var now = clock.GetTimestamp();
        return new PdiToken(answer.AccessToken, renewFrom: now + Ticks(usable - lead), usableUntil: now + Ticks(usable));
    }

    /// <summary>How long a token may be used: its lifetime less the lead, at most 55 minutes; a short one to 80 %.</summary>
    private TimeSpan Lifetime(double? expiresIn)
    {
        var seconds = Math.Clamp(expiresIn ?? DefaultLifetimeSeconds, 0, TimeSpan.FromDays(1).TotalSeconds);
        var lifetime = TimeSpan.FromSeconds(seconds);
        if (lifetime < ShortLifetime)
            return lifetime * 0.8;
        var usable = lifetime - options.TokenRenewalLead;
        return usable < options.TokenLifetime ? usable : options.TokenLifetime;
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * clock.TimestampFrequency);

    private static partial class Log
    {
        [LoggerMessage(EventName = "TokenRenewed", Level = LogLevel.Debug, Message = "PDI token renewed, usable for {seconds} s")]
        public static partial void TokenRenewed(ILogger logger, double seconds);

        [LoggerMessage(EventName = "TokenRequestFailed", Level = LogLevel.Warning, Message = "PDI gave no token at try {attempt}: {reason}")]
        public static partial void TokenRequestFailed(ILogger logger, int attempt, string reason);
    }
}

/// <summary>An access token and its times, as monotonic timestamps of the clock. Compared by reference: one object a renewal.</summary>
internal sealed class PdiToken(string value, long renewFrom, long usableUntil)
{
    public string Value { get; } = value;

    public long RenewFrom { get; } = renewFrom;

    public long UsableUntil { get; } = usableUntil;
}
