using LoyaltyService.Pdi;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Polly;

namespace LoyaltyService.Tests.Pdi;

/// <summary>The breaker alone. The test decides when and how each call ends.</summary>
internal sealed class BreakerUnderTest
{
    private readonly ResiliencePipeline pipeline;

    public BreakerUnderTest(FakeTimeProvider? clock = null, TimeProvider? seen = null)
    {
        Clock = clock ?? new FakeTimeProvider();
        Breaker = new ConsecutiveFailureBreaker(
            new PdiOptions(), PdiResilience.Judge, seen ?? Clock, NullLogger<ConsecutiveFailureBreaker>.Instance);
        Breaker.Closed += () => TimesClosed++;
        pipeline = Alone(Breaker);
    }

    /// <summary>The outcomes that reveal nothing about PDI.</summary>
    public static IReadOnlyDictionary<string, Exception> NeutralEnds { get; } = new Dictionary<string, Exception>
    {
        ["the caller left"] = new OperationCanceledException(),
        ["throttled"] = new PdiUnavailableException("429", mayHaveReached: true) { IsThrottled = true },
        ["credentials refused"] = new PdiAuthenticationException("401"),
    };

    public FakeTimeProvider Clock { get; }

    public ConsecutiveFailureBreaker Breaker { get; }

    public int TimesClosed { get; private set; }

    public static ResiliencePipeline Alone(ConsecutiveFailureBreaker breaker) =>
        new ResiliencePipelineBuilder().AddStrategy(_ => breaker, new Options()).Build();

    /// <summary>Starts a call. On return the breaker has let it through or refused it.</summary>
    public Call Start() => new(pipeline, CancellationToken.None);

    public Call StartFor(CancellationTokenSource caller) => new(pipeline, caller.Token);

    internal sealed class Call
    {
        private readonly TaskCompletionSource end = new();

        public Call(ResiliencePipeline pipeline, CancellationToken cancellationToken) => Ended = pipeline.ExecuteAsync(
            async cancellation =>
            {
                HasRun = true;
                await end.Task.WaitAsync(cancellation);
            }, cancellationToken).AsTask();

        public bool HasRun { get; private set; }

        /// <summary>The call as its caller sees it.</summary>
        public Task Ended { get; }

        public Task EndAsync(BreakerVerdict verdict) => EndAsync(verdict switch
        {
            BreakerVerdict.Success => null,
            BreakerVerdict.Failure => new PdiUnavailableException("down", mayHaveReached: true),
            _ => new OperationCanceledException(),
        });

        public async Task EndAsync(Exception? exception)
        {
            Assert.True(HasRun, "The breaker has refused the call.");
            if (exception is null)
            {
                end.SetResult();
                await Ended;
            }
            else
            {
                end.SetException(exception);
                Assert.Same(exception, await Record.ExceptionAsync(() => Ended));
            }
        }
    }

    private sealed class Options : ResilienceStrategyOptions
    {
        public Options() => Name = "Breaker";
    }
}
