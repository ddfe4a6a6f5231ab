using LoyaltyService.Idempotency;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Sessions;

public sealed class MemoryReplayCacheTests
{
    private const int MaxEntries = 100_000;

    private readonly FakeTimeProvider clock = new();
    private readonly MemoryReplayCache cache;

    public MemoryReplayCacheTests() => cache = new MemoryReplayCache(clock);

    [Fact]
    public async Task A_stored_answer_is_returned_byte_for_byte()
    {
        var replay = Answer(200, "{\"a\":1}"u8);

        cache.Remember(Key(1), replay);

        Assert.Same(replay, await cache.FindAsync(Key(1)));
    }

    [Fact]
    public async Task An_unknown_key_is_a_miss() => Assert.Null(await cache.FindAsync(Key(1)));

    [Fact]
    public async Task Routes_and_ids_do_not_share_answers()
    {
        cache.Remember(new ReplayKey("identify", Id(1)), Answer(200));

        Assert.Null(await cache.FindAsync(new ReplayKey("finalize", Id(1))));
        Assert.Null(await cache.FindAsync(new ReplayKey("identify", Id(2))));
    }

    [Fact]
    public async Task An_answer_is_kept_for_ten_minutes()
    {
        cache.Remember(Key(1), Answer(200));

        clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));
        var last = await cache.FindAsync(Key(1));
        clock.Advance(TimeSpan.FromTicks(1));
        var gone = await cache.FindAsync(Key(1));

        Assert.NotNull(last);
        Assert.Null(gone);
    }

    [Fact]
    public async Task A_hit_does_not_extend_the_lifetime()
    {
        cache.Remember(Key(1), Answer(200));
        clock.Advance(TimeSpan.FromMinutes(9));

        await cache.FindAsync(Key(1));
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(await cache.FindAsync(Key(1)));
    }

    [Fact]
    public async Task A_second_answer_replaces_the_first_and_lives_ten_minutes()
    {
        var second = Answer(400);
        cache.Remember(Key(1), Answer(200));
        clock.Advance(TimeSpan.FromMinutes(9));

        cache.Remember(Key(1), second);
        clock.Advance(TimeSpan.FromMinutes(9));
        // Evicts the first answer's queue entry, but keeps the second answer.
        cache.Remember(Key(2), Answer(200));

        Assert.Same(second, await cache.FindAsync(Key(1)));
    }

    [Fact]
    public async Task Beyond_its_limit_it_evicts_the_oldest_answer()
    {
        for (var index = 0; index <= MaxEntries; index++)
        {
            cache.Remember(Key(index), Answer(200));
            clock.Advance(TimeSpan.FromTicks(1));
        }

        Assert.Null(await cache.FindAsync(Key(0)));
        Assert.NotNull(await cache.FindAsync(Key(1)));
        Assert.NotNull(await cache.FindAsync(Key(MaxEntries)));
    }

    [Fact]
    public async Task Concurrent_writers_and_readers_see_complete_answers()
    {
        await Parallel.ForAsync(0, 10_000, TestContext.Current.CancellationToken, async (index, _) =>
        {
            cache.Remember(Key(index % 10), Answer(200 + (index % 10)));

            Assert.Equal(200 + (index % 10), (await cache.FindAsync(Key(index % 10)))?.Status);
        });
    }

    private static ReplayKey Key(int number) => new("identify", Id(number));

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);

    private static Replay Answer(int status, ReadOnlySpan<byte> body = default) => new(Guid.Empty, status, 1, body.ToArray());
}
