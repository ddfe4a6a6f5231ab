using System.Text;
using LoyaltyService.Observability;

namespace LoyaltyService.Tests.Observability;

public sealed class LogQueueTests : IDisposable
{
    private readonly SlowOutput output = new();
    private readonly LogQueue queue;

    public LogQueueTests() => queue = new LogQueue(new LogOutput(output));

    public void Dispose()
    {
        output.Release();
        queue.Dispose();
        output.Dispose();
    }

    [Fact]
    public void Dispose_writes_the_queued_lines_in_order()
    {
        output.Release();
        for (var number = 0; number < 1000; number++)
            Add($"{number}", mayDrop: true);

        queue.Dispose();

        Assert.Equal(Enumerable.Range(0, 1000).Select(number => $"{number}"), output.Lines);
    }

    [Fact]
    public void Callers_do_not_wait_for_a_stuck_output_and_drops_are_counted()
    {
        Fill();

        for (var number = 0; number < 5; number++)
            Add("too much", mayDrop: true);

        Assert.Equal(5, queue.Dropped);
        Assert.DoesNotContain("too much", output.Lines);
    }

    [Fact]
    public async Task A_warning_is_never_dropped()
    {
        Fill();

        var warning = Task.Run(() => Add("warning", mayDrop: false), TestContext.Current.CancellationToken);
        output.Release();
        await warning;
        queue.Dispose();

        Assert.Equal(0, queue.Dropped);
        Assert.Contains("warning", output.Lines);
        Assert.Equal(LogQueue.Capacity + 2, output.Lines.Length);
    }

    [Fact]
    public void A_closed_output_throws_nothing()
    {
        output.Break();
        output.Release();

        Add("lost", mayDrop: false);
        queue.Dispose();

        Assert.Equal(1, queue.Dropped);
    }

    /// <summary>Blocks the writer on the first line and fills the queue.</summary>
    private void Fill()
    {
        Add("first", mayDrop: true);
        output.WaitUntilWriting();
        for (var number = 0; number < LogQueue.Capacity; number++)
            Add($"{number}", mayDrop: true);
    }

    private void Add(string line, bool mayDrop) => queue.Add(Encoding.UTF8.GetBytes(line + "\n"), mayDrop);

    /// <summary>Blocks every write until it is released.</summary>
    private sealed class SlowOutput : MemoryStream
    {
        private readonly ManualResetEventSlim released = new();
        private readonly ManualResetEventSlim writing = new();
        private bool isBroken;

        public string[] Lines => Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        public void Release() => released.Set();

        public void Break() => isBroken = true;

        public void WaitUntilWriting() => Assert.True(writing.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            writing.Set();
            released.Wait();
            if (isBroken)
                throw new IOException("Nobody is there.");
            base.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            released.Dispose();
            writing.Dispose();
            base.Dispose(disposing);
        }
    }
}
