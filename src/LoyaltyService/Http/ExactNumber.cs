using System.Globalization;
using System.Numerics;

namespace LoyaltyService.Http;

/// <summary>
/// A JSON number by its value, read from its text: digits times ten to the power of an exponent. The usual number types round long numbers, so that two
/// numbers become one.
/// </summary>
/// <param name="isNegative">False for zero, whatever its sign.</param>
/// <param name="digits">Without leading or trailing zeros; empty for zero.</param>
/// <param name="exponent">As written.</param>
internal readonly struct ExactNumber(bool isNegative, string digits, BigInteger exponent)
{
    // The most zeros that are written out, as in 100000000000000000000; beyond that, a short number would become a long text.
    private const int MaxZeros = 20;

    /// <summary>The number of decimals.</summary>
    public BigInteger Decimals => BigInteger.Max(0, -exponent);

    /// <param name="json">A valid JSON number.</param>
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

    /// <summary>The number as JSON, in the one spelling of its value.</summary>
    public override string ToString()
    {
        if (digits.Length == 0)
            return "0";

        var sign = isNegative ? "-" : "";
        // The number of digits before the point; below zero, the number of zeros after it.
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
