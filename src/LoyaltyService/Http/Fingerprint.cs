using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LoyaltyService.Http;

/// <summary>
/// The meaning of a request in 128 bits: bodies with equal parsed values have equal fingerprints in any spelling (150, 150.0 and 1.5e2 are one amount). The first
/// half of a SHA-256, as a UUID because both databases store one in 16 bytes.
/// </summary>
internal ref struct Fingerprint
{
    private readonly ArrayBufferWriter<byte> buffer;

    public Fingerprint(string purpose)
    {
        buffer = new ArrayBufferWriter<byte>(256);
        Add(purpose);
    }

    /// <summary>The key of a sale: one session per client, channel and transaction.</summary>
    public static Guid OfSale(string client, string channelId, string transactionId)
    {
        var sale = new Fingerprint("sale");
        sale.Add(client);
        sale.Add(channelId);
        sale.Add(transactionId);
        return sale.ToGuid();
    }

    /// <summary>Adds a text after its length, so that adjacent texts cannot run together; null differs from empty.</summary>
    public readonly void Add(string? text)
    {
        if (text is null)
        {
            Add(-1);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(text);
        Add(length);
        buffer.Advance(Encoding.UTF8.GetBytes(text, buffer.GetSpan(length)));
    }

    public readonly void Add(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer.GetSpan(sizeof(long)), value);
        buffer.Advance(sizeof(long));
    }

    /// <summary>Adds an amount by its value, in cents.</summary>
    public readonly void Add(decimal amount) => Add(decimal.ToInt64(amount * 100));

    /// <summary>Adds an optional amount; absent differs from every amount, because none is negative.</summary>
    public readonly void Add(decimal? amount) => Add(amount ?? -0.01m);

    public readonly void Add(bool value) => Add(value ? 1 : 0);

    public readonly Guid ToGuid()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer.WrittenSpan, hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
