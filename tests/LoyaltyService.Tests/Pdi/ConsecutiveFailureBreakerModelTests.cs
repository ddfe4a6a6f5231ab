using CsCheck;
using LoyaltyService.Pdi;

namespace LoyaltyService.Tests.Pdi;

/// <summary>
/// Compares the breaker with a second, simple implementation of its contract. Calls begin and end in any order, at any time. A mismatch
/// prints its seed.
/// </summary>
public sealed class ConsecutiveFailureBreakerModelTests
{
    // At every limit of the breaker, around it and in between.
    private static readonly Gen<long> Milliseconds = Gen.OneOf(
        Gen.OneOf(1L, 10_999L, 11_000L, 18_999L, 19_000L, 29_999L, 30_000L, 30_001L), Gen.Long[0, 35_000]);

    // Weighted outcomes: without long runs of failures the breaker never opens.
    private static readonly Gen<Step> Steps = Gen.Frequency(
        (6, Gen.Const(new Step(StepKind.Start))),
        (8, Gen.Select(Gen.Int[0, 7], Gen.Frequency(
            (10, Gen.Const(BreakerVerdict.Failure)), (2, Gen.Const(BreakerVerdict.Success)), (2, Gen.Const(BreakerVerdict.Neutral))),
            (call, verdict) => new Step(StepKind.End) { Call = call, Verdict = verdict })),
        (3, Milliseconds.Select(milliseconds => new Step(StepKind.Advance) { Milliseconds = milliseconds })));

    [Fact]
    public async Task The_breaker_agrees_with_the_model_for_any_sequence_of_calls() => await Steps.List[1, 120].SampleAsync(async steps =>
    {
        var (pdi, model) = (new BreakerUnderTest(), new Model());
        var running = new List<(BreakerUnderTest.Call Call, Model.Period StartedIn)>();
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case StepKind.Start:
                    var (call, expected) = (pdi.Start(), model.Start());
                    Assert.Equal(expected is not null, call.HasRun);
                    if (expected is not null)
                        running.Add((call, expected));
                    else
                        Assert.Equal(model.Wait, (await Assert.ThrowsAsync<PdiUnavailableException>(() => call.Ended)).RetryAfter);
                    break;
                case StepKind.End when running.Count > 0:
                    // Small numbers mean the newest calls. They decide; the old ones end late.
                    var index = running.Count - 1 - (step.Call % running.Count);
                    await running[index].Call.EndAsync(step.Verdict);
                    model.End(running[index].StartedIn, step.Verdict);
                    running.RemoveAt(index);
                    break;
                case StepKind.Advance:
                    pdi.Clock.Advance(TimeSpan.FromMilliseconds(step.Milliseconds));
                    model.Now += step.Milliseconds;
                    break;
            }

            Assert.Equal((model.State, model.Wait, model.TimesClosed), (pdi.Breaker.State, pdi.Breaker.Wait, pdi.TimesClosed));
        }
    }, iter: 5_000);

    private enum StepKind
    {
        Start,
        End,
        Advance,
    }

    private sealed record Step(StepKind Kind)
    {
        public int Call { get; init; }

        public BreakerVerdict Verdict { get; init; }

        public long Milliseconds { get; init; }
    }

    /// <summary>
    /// The contract as a sequence of periods. A closed period ends with the fifth failure in a row. A break ends after 30 s with a probe.
    /// A probe ends with its answer or gives way after 11 s. A call counts only in the period in which it began.
    /// </summary>
    private sealed class Model
    {
        private Period current = new("good", 0);

        public long Now { get; set; }

        public int TimesClosed { get; private set; }

        public BreakerState State => current.Name switch
        {
            "good" => BreakerState.Closed,
            "break" when Now < current.Until => BreakerState.Open,
            _ => BreakerState.HalfOpen,
        };

        public TimeSpan Wait => TimeSpan.FromMilliseconds(Math.Max(0, current.Until - Now));

        public Period? Start()
        {
            if (Now < current.Until)
                return null;
            return current.Name == "good" ? current : current = new Period("probe", Now + 11_000);
        }

        public void End(Period startedIn, BreakerVerdict verdict)
        {
            if (startedIn != current)
                return;
            current.Verdicts.Add(verdict);
            if (current.Name == "good")
            {
                var telling = current.Verdicts.Where(each => each is not BreakerVerdict.Neutral).Reverse();
                if (telling.TakeWhile(each => each is BreakerVerdict.Failure).Count() == 5)
                    current = new Period("break", Now + 30_000);
            }
            else if (verdict is BreakerVerdict.Success)
            {
                current = new Period("good", 0);
                TimesClosed++;
            }
            else
            {
                current = verdict is BreakerVerdict.Failure ? new Period("break", Now + 30_000) : new Period("given away", Now);
            }
        }

        public sealed class Period(string name, long until)
        {
            public string Name { get; } = name;

            public long Until { get; } = until;

            public List<BreakerVerdict> Verdicts { get; } = [];
        }
    }
}
