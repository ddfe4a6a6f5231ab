using Polly;
using Polly.Retry;

namespace LoyaltyService.Pdi;

/// <summary>
/// What stands around each attempt at PDI, outermost first: retry, breaker, attempt. The total budget stands around all of it, in
/// <see cref="PdiClient"/>, which also renews a refused bearer inside the attempt. The attempt is the typed call, body and parsing
/// included, so that a body that drips or is not the contract counts as what it is.
/// </summary>
internal static class PdiResilience
{
    /// <summary>The end of the operation's budget, as a timestamp of the clock.</summary>
    public static readonly ResiliencePropertyKey<long> Deadline = new("Deadline");

    public static ResiliencePipeline Create(PdiOptions options, ConsecutiveFailureBreaker breaker, TimeProvider clock) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                // Refusals are values and end here; so do the breaker's own refusal and the credentials'.
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is PdiUnavailableException { IsRefusedByBreaker: false } failed
                    && !arguments.Context.CancellationToken.IsCancellationRequested
                    && FitsBudget(failed.AskedToWait, arguments.Context, clock)),
                MaxRetryAttempts = options.MaxRetries,
                DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(Pause(options, arguments)),
            })
            .AddStrategy(_ => breaker, new BreakerStrategyOptions())
            .Build();

    public static BreakerVerdict Judge(Exception? exception) => exception switch
    {
        null => BreakerVerdict.Success,
        PdiUnavailableException { IsThrottled: false } => BreakerVerdict.Failure,
        _ => BreakerVerdict.Neutral,
    };

    /// <summary>PDI may ask for more time than its caller has: then the caller is told now, not when its time is over.</summary>
    private static bool FitsBudget(TimeSpan? asked, ResilienceContext context, TimeProvider clock) =>
        asked is not { } wait
        || !context.Properties.TryGetValue(Deadline, out var deadline)
        || wait < clock.GetElapsedTime(clock.GetTimestamp(), deadline);

    /// <summary>Exponential with full jitter; longer where PDI said how long.</summary>
    private static TimeSpan Pause(PdiOptions options, RetryDelayGeneratorArguments<object> arguments)
    {
        var jittered = options.FirstBackoff * Math.Pow(2, arguments.AttemptNumber) * Random.Shared.NextDouble();
        return arguments.Outcome.Exception is PdiUnavailableException { AskedToWait: { } asked } && asked > jittered ? asked : jittered;
    }

    private sealed class BreakerStrategyOptions : ResilienceStrategyOptions
    {
        public BreakerStrategyOptions() => Name = "Breaker";
    }
}
