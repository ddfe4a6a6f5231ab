using System.Text;
using System.Text.Json;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>What a service writes to its log, in place of standard output.</summary>
internal sealed class CapturedLog : Stream
{
    private readonly Lock textLock = new();
    private readonly MemoryStream text = new();

    public string Text
    {
        get
        {
            lock (textLock)
                return Encoding.UTF8.GetString(text.ToArray());
        }
    }

    public IReadOnlyList<JsonElement> Lines =>
        [.. Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    public void Capture(IServiceCollection services) => services.AddSingleton(new LogOutput(this));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
        // Everything is there already.
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RunLog.Add(Encoding.UTF8.GetString(buffer));
        lock (textLock)
            text.Write(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
