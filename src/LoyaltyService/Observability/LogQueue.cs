using System.Buffers;

namespace LoyaltyService.Observability;

/// <summary>The destination of the log.</summary>
internal sealed record LogOutput(Stream Stream);

/// <summary>
/// The log's outgoing lines. Callers enqueue; a dedicated thread writes, as many lines at once as there are. If the output is slower than the service, the
/// queue fills: lines below a warning are then dropped and counted, and WARN and above are written synchronously, so no important line is lost. Disposal
/// flushes the queue.
/// </summary>
internal sealed class LogQueue : IDisposable
{
    /// <summary>3 MB at 400 bytes a line, and several seconds of a busy service.</summary>
    public const int Capacity = 8192;

    // One write to the output; a longer line is written alone.
    private const int BatchBytes = 64 * 1024;

    // The container is killed 30 s after SIGTERM; this is long enough for a log reader.
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

    /// <summary>The number of dropped lines since the start.</summary>
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

        // An output without a reader must not keep the process alive.
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

    /// <summary>Waits for lines and takes as many as fit into one write; false once the queue is empty and closed.</summary>
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
                // The log's reader is gone.
                Interlocked.Increment(ref dropped);
            }
        }
    }
}
