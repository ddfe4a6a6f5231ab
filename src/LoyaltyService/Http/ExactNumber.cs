using System.Globalization;
using System.Numerics;

namespace LoyaltyService.Http;

/// <summary>
/// A JSON number by its value, read from its text: digits times ten to the power of an exponent. The types
/// that numbers are usually read into round what has more digits than they hold, and two numbers become one.
/// </summary>
/// <param name="isNegative">Zero is not, whatever its sign.</param>
/// <param name="digits">Without zeros at either end; empty for zero.</param>
/// <param name="exponent">As large as it was written.</param>
internal readonly struct ExactNumber(bool isNegative, string digits, BigInteger exponent)
{
    // So many zeros are written out, as in 100000000000000000000; beyond them, a short number would become a long text.
    private const int MaxZeros = 20;

    /// <summary>How many digits it has behind the point.</summary>
    public BigInteger Decimals => BigInteger.Max(0, -exponent);

    /// <param name="json">A number that is valid JSON.</param>
    public static ExactNumber Parse(string json)
    {
        var mark = json.AsSpan().IndexOfAny('e', 'E');
        var (mantissa, exponent) = mark < 0
            ? (json, BigInteger.Zero)
            : (json[..mark], BigInteger.Parse(json.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));

        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0)
            exponent -= mantissa.Length - point - 1;
        var written = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('-');
        var digits = written.TrimEnd('0');
        exponent += written.Length - digits.Length;
        digits = digits.TrimStart('0');
        return digits.Length == 0 ? new(false, "", 0) : new(json[0] == '-', digits, exponent);
    }

    /// <summary>The number as JSON, in the one way that its value has.</summary>
    public override string ToString()
    {
        if (digits.Length == 0)
            return "0";

        var sign = isNegative ? "-" : "";
        // How many of the digits are before the point; below zero, that many zeros are behind it.
        var point = digits.Length + exponent;
        if (exponent > MaxZeros || point < -MaxZeros)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{point - 1}";
        if (exponent >= 0)
            return sign + digits + new string('0', (int)exponent);
        if (point > 0)
            return $"{sign}{digits[..(int)point]}.{digits[(int)point..]}";
        return $"{sign}0.{new string('0', (int)-point)}{digits}";
    }
}
