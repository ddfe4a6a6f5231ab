using System.Globalization;
using System.Numerics;
using System.Text.Json;
using CsCheck;
using LoyaltyService.Http;
using LoyaltyService.Loyalty;

namespace LoyaltyService.Tests.Loyalty;

public sealed class MetadataTests
{
    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("""{ "b" : 1 , "a" : [ ] }""", """{"a":[],"b":1}""")]
    [InlineData("""{"a":{"z":1,"y":2}}""", """{"a":{"y":2,"z":1}}""")]
    [InlineData("""{"a":[{"z":1,"y":2},[3,2,1]]}""", """{"a":[{"y":2,"z":1},[3,2,1]]}""")]
    [InlineData("""{"a":true,"b":false,"c":null}""", """{"a":true,"b":false,"c":null}""")]
    [InlineData("""{"a":"\u0061\/"}""", """{"a":"a/"}""")]
    [InlineData("""{"B":1,"a":2,"A":3}""", """{"A":3,"B":1,"a":2}""")]
    [InlineData("""{"":1}""", """{"":1}""")]
    public void The_canonical_form_is_compact_and_sorted(string metadata, string canonical) => Assert.Equal(canonical, Canonical(metadata));

    [Theory]
    [InlineData("1.0", "1")]
    [InlineData("1.500", "1.5")]
    [InlineData("15e-1", "1.5")]
    [InlineData("1.5e2", "150")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("0e5", "0")]
    [InlineData("79228162514264337593543950335", "79228162514264337593543950335")]
    [InlineData("1e20", "100000000000000000000")]
    [InlineData("1e28", "1e28")]
    [InlineData("1e-20", "0.00000000000000000001")]
    [InlineData("0.0000000000000000000000000001", "1e-28")]
    [InlineData("1e-30", "1e-30")]
    [InlineData("-12.50e-40", "-1.25e-39")]
    [InlineData("1.00000000000000000000000000000001", "1.00000000000000000000000000000001")]
    [InlineData("79228162514264337593543950336", "79228162514264337593543950336")]
    [InlineData("1e400", "1e400")]
    [InlineData("1000e397", "1e400")]
    [InlineData("-1e99", "-1e99")]
    [InlineData("1E+99999999999999999999", "1e99999999999999999999")]
    public void Numbers_are_normalised_by_value(string number, string canonical) =>
        Assert.Equal($$"""{"a":{{canonical}}}""", Canonical($$"""{"a":{{number}}}"""));

    [Fact]
    public void A_number_keeps_its_value_in_any_notation() => AnyNumber.Sample(number =>
    {
        var (digits, power) = number;
        var written = $$"""{"a":{{digits}}e{{power}}}""";
        var canonical = Canonical(written)!;
        var moved = Canonical($$"""{"a":{{digits * 1000}}e{{power - 3}}}""");

        Assert.Equal(canonical, moved);
        Assert.Equal(Value($"{digits}e{power}"), Value(canonical[5..^1]));
        Assert.True(canonical.Length <= written.Length + 20, canonical);
    });

    [Fact]
    public void Numbers_have_equal_text_exactly_if_their_values_are_equal() => Gen.Select(AnyNumber, AnyNumber, Gen.Bool).Sample((one, other, isNear) =>
    {
        // Random numbers are never close, so this also draws neighbours that differ by one unit of the last digit.
        var second = isNear ? (one.Digits + 1, one.Power) : other;

        Assert.Equal(
            Value($"{one.Digits}e{one.Power}") == Value($"{second.Item1}e{second.Item2}"),
            Canonical($$"""{"a":{{one.Digits}}e{{one.Power}}}""") == Canonical($$"""{"a":{{second.Item1}}e{{second.Item2}}}"""));
    });

    [Fact]
    public void Every_amount_keeps_its_value() => Gen.Decimal.Sample(number =>
    {
        using var canonical = JsonDocument.Parse(Canonical($$"""{"a":{{number}}}""")!);

        Assert.Equal(number, canonical.RootElement.GetProperty("a").GetDecimal());
    });

    [Theory]
    [InlineData("""{"a":"\u0000"}""")]
    [InlineData("""{"a":"x\u0000y"}""")]
    [InlineData("""{"\u0000":1}""")]
    [InlineData("""{"a":["\\\u0000"]}""")]
    public void A_NUL_is_refused(string metadata) => Assert.Null(Canonical(metadata));

    [Theory]
    [InlineData("""{"a":"\\u0000"}""")]
    [InlineData("""{"a":"c:\\u0000\\x"}""")]
    [InlineData("""{"\\u0000":1}""")]
    public void The_literal_text_of_a_NUL_escape_is_accepted(string metadata) => Assert.NotNull(Canonical(metadata));

    [Theory]
    [InlineData("""{"a":"\uD800"}""")]
    [InlineData("""{"a":"\uDC00"}""")]
    [InlineData("""{"a":"\uDC00\uD800"}""")]
    [InlineData("""{"\uD800":1}""")]
    [InlineData("""{"a":[{"b":"\uD83D"}]}""")]
    [InlineData("""{"\uD800":1,"b":2}""")]
    public void A_lone_surrogate_is_refused(string metadata) => Assert.Null(Canonical(metadata));

    [Fact]
    public void Text_that_is_not_UTF8_is_refused()
    {
        byte[] bytes = [.. "{\"a\":\""u8, 0xED, 0xA0, 0x80, .. "\"}"u8];

        using var document = JsonDocument.Parse(bytes);

        Assert.Null(Metadata.Canonical(document.RootElement));
    }

    [Fact]
    public void Text_of_any_script_keeps_its_characters()
    {
        const string Text = "Grüße, 日本語, שלום, 😀 <&'\"+>";

        using var canonical = JsonDocument.Parse(Canonical(JsonSerializer.Serialize(new Dictionary<string, string> { ["a"] = Text }))!);

        Assert.Equal(Text, canonical.RootElement.GetProperty("a").GetString());
    }

    [Fact]
    public void Canonicalising_is_idempotent() => AnyObject(3).Sample(metadata =>
    {
        var canonical = Canonical(metadata);

        Assert.NotNull(canonical);
        Assert.Equal(canonical, Canonical(canonical));
    });

    [Fact]
    public void The_order_of_members_does_not_matter() => Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 5].HashSet[1, 10], Gen.Int).Sample((names, seed) =>
    {
        var members = names.Select(name => $"\"{name}\":1").ToArray();
        var shuffled = members.ToArray();
        new Random(seed).Shuffle(shuffled);

        Assert.Equal(Canonical($"{{{string.Join(',', members)}}}"), Canonical($"{{{string.Join(',', shuffled)}}}"));
    });

    // {"a":""} takes 8 bytes.
    [Theory]
    [InlineData("x", 4088, true)]
    [InlineData("x", 4089, false)]
    [InlineData("é", 2044, true)]
    [InlineData("é", 2045, false)]
    [InlineData("日", 1362, true)]
    [InlineData("日", 1363, false)]
    public void At_most_4_KiB_are_accepted(string letter, int count, bool isTaken)
    {
        var text = string.Concat(Enumerable.Repeat(letter, count));
        using var metadata = JsonDocument.Parse($$"""{"a":"{{text}}"}""");
        var errors = new List<FieldError>();

        new IdentifyRequest("C-1", "POS-1", "T-1", Metadata: metadata.RootElement).Validate(errors);

        Assert.Equal(isTaken ? [] : [new FieldError("metadata", "must be at most 4 KiB.")], errors);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("1")]
    [InlineData("true")]
    public void Metadata_must_be_an_object(string metadata)
    {
        using var document = JsonDocument.Parse(metadata);
        var errors = new List<FieldError>();

        new IdentifyRequest("C-1", "POS-1", "T-1", Metadata: document.RootElement).Validate(errors);

        Assert.Equal(new FieldError("metadata", "must be an object."), Assert.Single(errors));
    }

    private static string? Canonical(string metadata)
    {
        using var document = JsonDocument.Parse(metadata);
        return Metadata.Canonical(document.RootElement);
    }

    private static readonly Gen<(BigInteger Digits, int Power)> AnyNumber = Gen.Select(
        Gen.Char['0', '9'].Array[1, 60].Select(digits => BigInteger.Parse(new string(digits), CultureInfo.InvariantCulture)), Gen.Bool, Gen.Int[-80, 80],
        (digits, isNegative, power) => (isNegative ? -digits : digits, power));

    /// <summary>The exact value, in a unit finer than any number in these tests.</summary>
    private static BigInteger Value(string number)
    {
        var parts = number.Split('e');
        var mantissa = parts[0].Split('.');
        var decimals = mantissa.ElementAtOrDefault(1) ?? "";
        var power = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        return BigInteger.Parse(mantissa[0] + decimals, CultureInfo.InvariantCulture) * BigInteger.Pow(10, 200 + power - decimals.Length);
    }

    private static Gen<string> AnyObject(int depth) => Gen
        .Select(Gen.String[Gen.Char.AlphaNumeric, 0, 5], AnyValue(depth), (name, value) => (name, value)).Array[0, 5]
        .Select(members => "{" + string.Join(',', members.DistinctBy(member => member.name).Select(member => $"\"{member.name}\": {member.value}")) + "}");

    private static Gen<string> AnyValue(int depth)
    {
        var simple = Gen.OneOf(
            Gen.OneOf("null", "true", "false", "-0", "1.50", "1e2", "1e400"),
            Gen.Decimal.Select(number => number.ToString()),
            Gen.String[Gen.Char.AlphaNumeric, 0, 8].Select(text => $"\"{text}\""),
            Gen.Char.Where(letter => !char.IsSurrogate(letter) && letter != '\0').Select(letter => $"\"\\u{(int)letter:X4}\""));
        return depth == 0 ? simple : Gen.OneOf(
            simple, AnyObject(depth - 1), AnyValue(depth - 1).Array[0, 4].Select(items => "[" + string.Join(", ", items) + "]"));
    }
}
