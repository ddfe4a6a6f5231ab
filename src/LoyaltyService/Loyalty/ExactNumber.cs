using System.Globalization;
using System.Numerics;

namespace LoyaltyService.Loyalty;

/// <summary>
/// A JSON number by its value, read from its text: <see cref="Digits"/> times ten to the power of <see cref="Exponent"/>. The types
/// that numbers are usually read into round what has more digits than they hold, and two numbers become one.
/// </summary>
/// <param name="IsNegative">Zero is not, whatever its sign.</param>
/// <param name="Digits">Without zeros at either end; empty for zero.</param>
/// <param name="Exponent">As large as it was written.</param>
internal readonly record struct ExactNumber(bool IsNegative, string Digits, BigInteger Exponent)
{
    // So many zeros are written out, as in 100000000000000000000; beyond them, a short number would become a long text.
    private const int MaxZeros = 20;

    /// <summary>How many digits it has behind the point.</summary>
    public BigInteger Decimals => BigInteger.Max(0, -Exponent);

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
        if (Digits.Length == 0)
            return "0";

        var sign = IsNegative ? "-" : "";
        // How many of the digits are before the point; below zero, that many zeros are behind it.
        var point = Digits.Length + Exponent;
        if (Exponent > MaxZeros || point < -MaxZeros)
            return $"{sign}{Digits[0]}{(Digits.Length > 1 ? "." : "")}{Digits[1..]}e{point - 1}";
        if (Exponent >= 0)
            return sign + Digits + new string('0', (int)Exponent);
        if (point > 0)
            return $"{sign}{Digits[..(int)point]}.{Digits[(int)point..]}";
        return $"{sign}0.{new string('0', (int)-point)}{Digits}";
    }
}
