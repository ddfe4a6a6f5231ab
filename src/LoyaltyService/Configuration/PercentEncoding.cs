using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace LoyaltyService.Configuration;

/// <summary>
/// Percent-decoding as libpq does it. <see cref="Uri.UnescapeDataString(string)"/> leaves what it cannot decode as it stands, so a
/// mistyped password would fail much later, at the server. Control characters are refused: the one that really occurs is a newline copied
/// along with a password, and a connection string would silently drop it.
/// </summary>
internal static class PercentEncoding
{
    public static readonly ParseError ParseError =
        new("must have each % followed by two hexadecimal digits, in UTF-8, and no control characters; write % itself as %25");

    /// <returns>Null when an escape is malformed, or the result is not Unicode or has a control character.</returns>
    public static string? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = 0;
        while (!text.IsEmpty)
        {
            if (text[0] == '%')
            {
                if (text.Length < 3
                    || !byte.TryParse(text[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                    return null;
                bytes[length++] = value;
                text = text[3..];
                continue;
            }

            var plain = text.IndexOf('%') is var end and >= 0 ? text[..end] : text;
            if (Utf8.FromUtf16(plain, bytes.AsSpan(length), out _, out var written, replaceInvalidSequences: false) != OperationStatus.Done)
                return null;
            length += written;
            text = text[plain.Length..];
        }

        if (!Utf8.IsValid(bytes.AsSpan(0, length)))
            return null;
        var decoded = Encoding.UTF8.GetString(bytes, 0, length);
        return decoded.Any(char.IsControl) ? null : decoded;
    }
}
