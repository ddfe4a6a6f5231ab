using LoyaltyService.Storage;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Storage;

public sealed class RedisBreakerTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly RedisBreaker breaker;
    private int asked;

    public RedisBreakerTests() => breaker = new RedisBreaker(clock);

    [Fact]
    public async Task An_answer_is_passed_on()
    {
        Assert.Equal("found", await breaker.AskAsync(static () => Task.FromResult("found"), "nothing"));
    }

    [Fact]
    public async Task A_slow_call_times_out()
    {
        var waiting = HangAsync();
        Assert.False(waiting.IsCompleted);

        clock.Advance(RedisBreaker.Patience);

        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task Three_failures_in_a_row_open_it_for_a_second()
    {
        await FailAsync(RedisBreaker.FailuresToOpen);
        Assert.Equal("nothing", await HangAsync());

        clock.Advance(RedisBreaker.OpenTime);
        var trying = HangAsync();
        var others = await HangAsync();
        clock.Advance(RedisBreaker.Patience);

        Assert.Equal("nothing", others);
        await Assert.ThrowsAsync<TimeoutException>(() => trying);
        Assert.Equal(RedisBreaker.FailuresToOpen + 1, asked);
    }

    [Fact]
    public async Task An_answer_closes_it()
    {
        await FailAsync(RedisBreaker.FailuresToOpen);
        clock.Advance(RedisBreaker.OpenTime);

        Assert.Equal("found", await breaker.AskAsync(static () => Task.FromResult("found"), "nothing"));

        Assert.False(breaker.IsOpen);
    }

    [Fact]
    public async Task Failures_with_answers_between_them_do_not_open_it()
    {
        for (var number = 0; number < 10; number++)
        {
            await FailAsync(RedisBreaker.FailuresToOpen - 1);
            await breaker.AskAsync(static () => Task.FromResult("found"), "nothing");
        }

        Assert.False(breaker.IsOpen);
    }

    private Task<string> HangAsync() => breaker.AskAsync(
        () =>
        {
            asked++;
            return new TaskCompletionSource<string>().Task;
        },
        "nothing").AsTask();

    private async Task FailAsync(int times)
    {
        for (var number = 0; number < times; number++)
        {
            var waiting = HangAsync();
            clock.Advance(RedisBreaker.Patience);
            await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        }
    }
}
