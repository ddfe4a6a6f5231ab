using System.Text;

namespace LoyaltyService.Tests.Fuzzing;

/// <summary>Mutates known inputs: cuts, duplicates, splices, changes bytes and inserts tokens that parsers look for.</summary>
internal sealed class Mutator(Random random)
{
    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "://", ":", "/", "//", "@", "?", "&", "=", ",", ";", "[", "]", "{", "}", "\"", "\\", "'", "[::1]", "[fe80::1%25eth0]", "%", "%4", "%40", "%00", "%ff", "%C3%A9",
            " ", "\n", "\0", "+", "-", ".", "0", "-1", "65536", "99999999999999999999", "1e400", "NaN", "null", "true", "[]", "{}", "\"\\ud800\"", "\"\\u0000\"",
            "10.0.0.0/8", "::/0", "/33", "sslmode=require", "options=-c%20a%3Db", "loyalty+ops", "\"earnedPoints\":", "\"customerId\":", "\"items\":[", "\ufeff",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80],
    ];

    public byte[] Next(IReadOnlyList<byte[]> inputs)
    {
        var input = Any(inputs);
        for (var changes = random.Next(1, 5); changes > 0; changes--)
            input = Change(input, inputs);
        return input;
    }

    private byte[] Change(byte[] input, IReadOnlyList<byte[]> inputs)
    {
        var from = random.Next(input.Length + 1);
        var to = Math.Min(input.Length, from + random.Next(1, 20));
        switch (random.Next(7))
        {
            case 0:
                return [.. input[..from], .. input[to..]];
            case 1:
                return [.. input[..to], .. input[from..to], .. input[to..]];
            case 2:
                return [.. input[..from], .. Any(Pieces), .. input[to..]];
            case 3:
                return [.. input[..from], .. Any(Pieces), .. input[from..]];
            case 4:
                var other = Any(inputs);
                return [.. input[..from], .. other[random.Next(other.Length + 1)..]];
            case 5:
                return [.. input[..from], .. Enumerable.Repeat(Any(Pieces), random.Next(2, 200)).SelectMany(static piece => piece), .. input[from..]];
            default:
                return from == input.Length ? input : [.. input[..from], (byte)random.Next(256), .. input[(from + 1)..]];
        }
    }

    private byte[] Any(IReadOnlyList<byte[]> inputs) => inputs[random.Next(inputs.Count)];
}
