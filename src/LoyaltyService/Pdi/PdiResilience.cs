using Polly;
using Polly.Retry;

namespace LoyaltyService.Pdi;

/// <summary>
/// The pipeline around each attempt, outermost first: retry, breaker, attempt. <see cref="PdiClient"/> applies the total budget around it. The attempt
/// includes reading and parsing the body, so a slow or broken body counts as a failure.
/// </summary>
internal static class PdiResilience
{
    /// <summary>The end of the operation's budget, as a timestamp of the clock.</summary>
    public static readonly ResiliencePropertyKey<long> Deadline = new("Deadline");

    public static ResiliencePipeline Create(PdiOptions options, ConsecutiveFailureBreaker breaker, TimeProvider clock) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                // Not retried: rejections, which are values, an open breaker, and rejected credentials.
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

    /// <summary>If PDI asks for a longer wait than the budget has left, fail now.</summary>
    private static bool FitsBudget(TimeSpan? asked, ResilienceContext context, TimeProvider clock) =>
        asked is not { } wait
        || !context.Properties.TryGetValue(Deadline, out var deadline)
        || wait < clock.GetElapsedTime(clock.GetTimestamp(), deadline);

    /// <summary>Exponential with full jitter; longer if PDI asks for it.</summary>
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
