using System.Buffers;

namespace LoyaltyService.Observability;

/// <summary>Where the log goes.</summary>
internal sealed record LogOutput(Stream Stream);

/// <summary>
/// The lines on their way out. Callers leave them here and go on; one thread of its own writes them, as many at once as there are.
/// When the output is slower than the service, the queue fills: then lines below a warning are dropped and counted, and whoever brings
/// a warning writes it itself and waits for the output, so that nothing that matters is lost. At the end everything is written out.
/// </summary>
internal sealed class LogQueue : IDisposable
{
    /// <summary>At 400 bytes a line 3 MB, and several seconds of a busy service.</summary>
    public const int Capacity = 8192;

    // One write to the output; a line that is longer goes alone.
    private const int BatchBytes = 64 * 1024;

    // The container is killed 30 s after it was told to stop; whoever reads the log has had long enough.
    private static readonly TimeSpan FlushWithin = TimeSpan.FromSeconds(5);

    private readonly Lock outputLock = new();
    private readonly Queue<ArraySegment<byte>> lines = new(Capacity);
    private readonly Stream output;
    private readonly Thread writer;
    private bool isClosed;
    private long dropped;

    public LogQueue(LogOutput output)
    {
        this.output = output.Stream;
        writer = new Thread(Run) { IsBackground = true, Name = "log" };
        writer.Start();
    }

    /// <summary>How many lines were dropped since the start.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public void Add(ReadOnlySpan<byte> line, bool mayDrop)
    {
        lock (lines)
        {
            if (!isClosed && lines.Count < Capacity)
            {
                var copy = ArrayPool<byte>.Shared.Rent(line.Length);
                line.CopyTo(copy);
                lines.Enqueue(new ArraySegment<byte>(copy, 0, line.Length));
                if (lines.Count == 1)
                    Monitor.Pulse(lines);
                return;
            }
        }

        if (mayDrop)
            Interlocked.Increment(ref dropped);
        else
            WriteOut(line);
    }

    public void Dispose()
    {
        lock (lines)
        {
            isClosed = true;
            Monitor.Pulse(lines);
        }

        // An output that nobody reads any more must not keep the process.
        writer.Join(FlushWithin);
    }

    private void Run()
    {
        var batch = new ArrayBufferWriter<byte>(BatchBytes);
        while (Take(batch))
        {
            WriteOut(batch.WrittenSpan);
            batch.ResetWrittenCount();
        }
    }

    /// <summary>Waits for lines and takes as many as go into one write; false when there are none and never will be.</summary>
    private bool Take(ArrayBufferWriter<byte> batch)
    {
        lock (lines)
        {
            while (lines.Count == 0)
            {
                if (isClosed)
                    return false;
                Monitor.Wait(lines);
            }

            do
            {
                var line = lines.Dequeue();
                batch.Write(line);
                ArrayPool<byte>.Shared.Return(line.Array!);
            }
            while (lines.TryPeek(out var next) && batch.WrittenCount + next.Count <= BatchBytes);
            return true;
        }
    }

    private void WriteOut(ReadOnlySpan<byte> bytes)
    {
        lock (outputLock)
        {
            try
            {
                output.Write(bytes);
                output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads the log; there is nobody to tell.
                Interlocked.Increment(ref dropped);
            }
        }
    }
}
