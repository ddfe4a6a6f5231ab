using System.Text;
using CsCheck;
using LoyaltyService.Http;
using LoyaltyService.Loyalty;
using Microsoft.AspNetCore.Http;

namespace LoyaltyService.Tests.Loyalty;

public sealed class BodyTests
{
    private const string Identify =
        """{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1","storeId":"S-1","metadata":{"a":[1,"b"]}}""";

    private const string Calculate =
        """{"sessionId":"sess_1","transactionAmount":150.00,"items":[{"sku":"A","qty":1,"unitPrice":1.50,"category":"food"}],"redeemPoints":0,"version":1}""";

    private const string Finalize =
        """{"sessionId":"sess_1","transactionId":"T-1","finalAmount":150.00,"applyRewards":true,"redeemPoints":0,"version":1}""";

    private static readonly string[] Routes = ["identify", "calculate", "finalize"];

    /// <summary>Bodies that every route rejects, and the field that the error names.</summary>
    public static TheoryData<string, string> WrongEverywhere => new()
    {
        { "", "body" },
        { " ", "body" },
        { "null", "body" },
        { "[]", "body" },
        { "[{}]", "body" },
        { "1", "body" },
        { "true", "body" },
        { "\"text\"", "body" },
        { "{", "body" },
        { "{]", "body" },
        { "{\"", "body" },
        { "{,}", "body" },
        { "NaN", "body" },
        { "Infinity", "body" },
        { "-Infinity", "body" },
        { "nul", "body" },
        { "{'a':1}", "body" },
        { "{a:1}", "body" },
        { "// comment\n{}", "body" },
        { "{/* comment */}", "body" },
        { "\uFEFF{}", "body" },
        { "\0", "body" },
        { "<xml/>", "body" },
        { "{\"unknown\":1}", "unknown" },
        { "{\"__proto__\":{}}", "__proto__" },
        { "{\"$type\":\"x\"}", "$type" },
        { "{\"\":1}", "" },
    };

    /// <summary>Per route: text in its valid body, the replacement, and the field that the error names.</summary>
    public static TheoryData<string, string, string, string> WrongMembers => new()
    {
        // Wrong types.
        { "identify", "\"C-1\"", "1", "customerId" },
        { "identify", "\"C-1\"", "true", "customerId" },
        { "identify", "\"C-1\"", "{}", "customerId" },
        { "identify", "\"C-1\"", "[\"C-1\"]", "customerId" },
        { "identify", "{\"a\":[1,\"b\"]}", "[]", "metadata" },
        { "identify", "{\"a\":[1,\"b\"]}", "\"{}\"", "metadata" },
        { "calculate", "150.00", "\"150.00\"", "transactionAmount" },
        { "calculate", "150.00", "{}", "transactionAmount" },
        { "calculate", "150.00", "true", "transactionAmount" },
        { "calculate", "\"qty\":1", "\"qty\":\"1\"", "items[0].qty" },
        { "calculate", "\"qty\":1", "\"qty\":1.5", "items[0].qty" },
        { "calculate", "\"qty\":1", "\"qty\":1e0.5", "body" },
        { "calculate", "\"sku\":\"A\"", "\"sku\":1", "items[0].sku" },
        { "calculate", "\"version\":1", "\"version\":\"1\"", "version" },
        { "calculate", "\"version\":1", "\"version\":1.5", "version" },
        { "calculate", "\"redeemPoints\":0", "\"redeemPoints\":0.5", "redeemPoints" },
        { "calculate", "[{\"sku\":\"A\",\"qty\":1,\"unitPrice\":1.50,\"category\":\"food\"}]", "{}", "items" },
        { "calculate", "[{\"sku\":\"A\",\"qty\":1,\"unitPrice\":1.50,\"category\":\"food\"}]", "[1]", "items[0]" },
        { "calculate", "[{\"sku\":\"A\",\"qty\":1,\"unitPrice\":1.50,\"category\":\"food\"}]", "[null]", "items[0]" },
        { "calculate", "[{\"sku\":\"A\",\"qty\":1,\"unitPrice\":1.50,\"category\":\"food\"}]", "null", "items" },
        { "finalize", "true", "\"true\"", "applyRewards" },
        { "finalize", "true", "1", "applyRewards" },
        { "finalize", "true", "null", "applyRewards" },

        // Numbers out of range of every type.
        { "calculate", "150.00", "1e400", "transactionAmount" },
        { "calculate", "150.00", "-1e400", "transactionAmount" },
        { "calculate", "150.00", "99999999999999999999999999999999", "transactionAmount" },
        { "calculate", "150.00", "NaN", "body" },
        { "calculate", "150.00", "Infinity", "body" },
        { "calculate", "150.00", "\"NaN\"", "transactionAmount" },
        { "calculate", "150.00", "015", "body" },
        { "calculate", "150.00", "+1", "body" },
        { "calculate", "150.00", ".5", "body" },
        { "calculate", "150.00", "0x10", "body" },
        { "calculate", "\"qty\":1", "\"qty\":99999999999", "items[0].qty" },
        { "calculate", "\"redeemPoints\":0", "\"redeemPoints\":99999999999999999999", "redeemPoints" },
        { "calculate", "\"version\":1", "\"version\":2147483648", "version" },

        // Missing, duplicate, wrongly cased and unknown members.
        { "identify", "\"customerId\":\"C-1\",", "", "customerId" },
        { "identify", "\"C-1\"", "null", "customerId" },
        { "identify", "\"C-1\"", "\"\"", "customerId" },
        { "identify", "\"customerId\"", "\"customerID\"", "customerID" },
        { "identify", "\"customerId\"", "\"CustomerId\"", "CustomerId" },
        { "identify", "\"storeId\":\"S-1\"", "\"customerId\":\"C-1\"", "customerId" },
        { "identify", "\"storeId\":\"S-1\"", "\"customer\\u0049d\":\"C-1\"", "customerId" },
        { "identify", "{\"a\":[1,\"b\"]}", "{\"a\":1,\"a\":2}", "metadata" },
        { "calculate", "\"sku\":\"A\"", "\"sku\":\"A\",\"sku\":\"B\"", "items[0].sku" },
        { "calculate", "\"sku\":\"A\"", "\"sku\":\"A\",\"SKU\":\"B\"", "items[0].SKU" },
        { "calculate", "\"sku\":\"A\"", "\"sku\":\"A\",\"price\":1", "items[0].price" },
        { "calculate", "\"items\"", "\"Items\"", "Items" },
        { "finalize", "\"applyRewards\":true,", "", "applyRewards" },
        { "finalize", "\"finalAmount\":150.00,", "", "finalAmount" },
        { "finalize", "\"version\":1", "\"version\":0", "version" },
        { "finalize", "\"redeemPoints\":0", "\"redeemPoints\":-1", "redeemPoints" },
        { "finalize", "true,\"redeemPoints\":0", "false,\"redeemPoints\":1", "redeemPoints" },

        // Invalid text. Malformed JSON is an error of the body, not of a member.
        { "identify", "C-1", "\\u0000", "customerId" },
        { "identify", "C-1", "\0", "body" },
        { "identify", "C-1", "C\n1", "body" },
        { "identify", "C-1", "\\uD800", "customerId" },
        { "identify", "C-1", "\\x", "body" },
        { "identify", "\"b\"", "\"\\u0000\"", "metadata" },
        { "identify", "\"b\"", "\"\\uD800\"", "metadata" },
        { "calculate", "\"A\"", "\"\\u0000\"", "items[0].sku" },
        { "calculate", "\"A\"", "\"\\u0085\"", "items[0].sku" },
        { "calculate", "\"A\"", "\"\"", "items[0].sku" },
        { "calculate", "food", "", "items[0].category" },

        // More or less than one JSON document.
        { "identify", "]}}", "]}}{}", "body" },
        { "identify", "]}}", "]}} 1", "body" },
        { "identify", "]}}", "]}}\0", "body" },
        { "identify", "]}}", "]},}", "body" },
        { "identify", "\"S-1\",", "\"S-1\",/* x */", "body" },
        { "identify", "]}}", "]}", "body" },
        { "calculate", "}],", "},],", "body" },
    };

    [Theory]
    [InlineData("identify", Identify)]
    [InlineData("calculate", Calculate)]
    [InlineData("finalize", Finalize)]
    [InlineData("identify", "\r\n\t" + Identify + "\r\n ")]
    [InlineData("identify", """{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1"}""")]
    [InlineData("identify", """{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1","storeId":null,"metadata":null}""")]
    [InlineData("calculate", """{"sessionId":"s","transactionAmount":0,"items":[]}""")]
    [InlineData("finalize", """{"sessionId":"s","transactionId":"T-1","finalAmount":0,"applyRewards":false}""")]
    public async Task A_valid_body_binds_to_a_value(string route, string body)
    {
        var (value, rejection) = await Bind(route, Encoding.UTF8.GetBytes(body));

        Assert.Null(rejection);
        Assert.NotNull(value);
    }

    [Theory]
    [MemberData(nameof(WrongEverywhere))]
    public async Task Every_route_refuses_a_body_that_is_not_a_request(string body, string field)
    {
        foreach (var route in Routes)
            Assert.Equal(field, FieldOf(await Bind(route, Encoding.UTF8.GetBytes(body))));
    }

    [Theory]
    [MemberData(nameof(WrongMembers))]
    public async Task A_refusal_names_the_wrong_member(string route, string part, string replacement, string field)
    {
        var body = Valid(route).Replace(part, replacement);

        Assert.NotEqual(Valid(route), body);
        Assert.Equal(field, FieldOf(await Bind(route, Encoding.UTF8.GetBytes(body))));
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public async Task A_body_in_another_encoding_is_refused(string encoding)
    {
        var coding = Encoding.GetEncoding(encoding);

        foreach (var route in Routes)
        {
            Assert.Equal("body", FieldOf(await Bind(route, coding.GetBytes(Valid(route)))));
            Assert.Equal("body", FieldOf(await Bind(route, [.. coding.GetPreamble(), .. coding.GetBytes(Valid(route))])));
        }
    }

    [Theory]
    // A surrogate, an overlong NUL, an invalid first byte, a truncated character.
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0xE6, 0x97 })]
    public async Task Invalid_UTF8_is_refused_at_any_position(byte[] bytes)
    {
        foreach (var route in Routes)
        {
            var body = Encoding.UTF8.GetBytes(Valid(route));
            var places = Enumerable.Range(0, body.Length + 1);

            foreach (var place in places)
                Assert.NotNull((await Bind(route, [.. body[..place], .. bytes, .. body[place..]])).Rejection);
        }
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{\"a\":")]
    [InlineData("{\"metadata\":")]
    [InlineData("{\"items\":[")]
    [InlineData("{\"customerId\":[")]
    public async Task A_body_of_any_depth_is_refused(string level)
    {
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(level, 10_000)));

        foreach (var route in Routes)
            FieldOf(await Bind(route, body));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    [InlineData(10_000, false)]
    public async Task Metadata_has_a_maximum_depth(int arrays, bool isTaken)
    {
        var body = Identify.Replace("[1,\"b\"]", new string('[', arrays) + new string(']', arrays));

        var (_, rejection) = await Bind("identify", Encoding.UTF8.GetBytes(body));

        Assert.Equal(isTaken, rejection is null);
        if (rejection is not null)
            Assert.Equal("body must not be nested deeper than 32 levels.", rejection.Detail);
    }

    [Fact]
    public async Task A_body_truncated_at_any_position_is_refused()
    {
        foreach (var route in Routes)
        {
            var body = Encoding.UTF8.GetBytes(Valid(route));

            for (var length = 0; length < body.Length; length++)
                FieldOf(await Bind(route, body[..length]));
        }
    }

    [Fact]
    public async Task A_body_that_arrives_byte_by_byte_is_read_whole()
    {
        foreach (var route in Routes)
        {
            var context = Request(new SlowStream(Encoding.UTF8.GetBytes(Valid(route))), "application/json");

            Assert.Null((await Bind(route, context)).Rejection);
        }
    }

    [Fact]
    public async Task A_refusal_names_all_wrong_fields()
    {
        var (_, rejection) = await Bind("calculate", """{"sessionId":"","transactionAmount":-1,"items":[{"sku":"","qty":0}],"redeemPoints":-1,"version":0}"""u8.ToArray());

        Assert.Equal(
            ["sessionId", "transactionAmount", "redeemPoints", "version", "items[0].sku", "items[0].qty"],
            rejection?.Fields?.Select(field => field.Field));
    }

    [Fact]
    public async Task An_error_message_says_what_the_field_must_be()
    {
        Assert.Equal("is not a member of this request.", MessageOf(await Bind("identify", """{"x":1}"""u8.ToArray())));
        Assert.Equal("is given twice.", MessageOf(await Bind("identify", """{"storeId":"a","storeId":"a"}"""u8.ToArray())));
        Assert.Equal("has the wrong type or is out of range.", MessageOf(await Bind("identify", """{"storeId":1}"""u8.ToArray())));
        Assert.Equal("must have at most two decimals.", MessageOf(await Bind("finalize", """{"finalAmount":1e-30}"""u8.ToArray())));
        Assert.Equal("is not valid JSON at line 2, byte 3.", MessageOf(await Bind("identify", "{\n  x"u8.ToArray())));
        Assert.Equal("has the wrong type or is out of range.", MessageOf(await Bind("identify", """{"storeId":"\uD800"}"""u8.ToArray())));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("text/plain")]
    [InlineData("text/json")]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/problem+json")]
    [InlineData("application/json-patch+json")]
    [InlineData("application/*")]
    [InlineData("*/*")]
    [InlineData("json")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=iso-8859-1")]
    [InlineData("application/json; charset=\"utf-16\"")]
    [InlineData("application/json; charset=nonsense")]
    [InlineData("application/json, text/plain")]
    [InlineData("\0")]
    public async Task Another_content_type_is_refused(string? contentType)
    {
        foreach (var route in Routes)
        {
            var (value, rejection) = await Bind(route, Request(new MemoryStream(Encoding.UTF8.GetBytes(Valid(route))), contentType));

            Assert.Null(value);
            Assert.Equal(HttpErrors.UnsupportedMediaType, rejection?.Error);
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("APPLICATION/JSON")]
    [InlineData("application/json;charset=utf-8")]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/json; version=1")]
    public async Task JSON_in_UTF8_is_accepted(string contentType)
    {
        foreach (var route in Routes)
            Assert.Null((await Bind(route, Request(new MemoryStream(Encoding.UTF8.GetBytes(Valid(route))), contentType))).Rejection);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-Za-z0-9._:-", true)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("", false)]
    [InlineData(" ", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a\\\\b", false)]
    [InlineData("a;b", false)]
    [InlineData("a'b", false)]
    [InlineData("é", false)]
    [InlineData("\u0430", false)]
    [InlineData("\u0661", false)]
    [InlineData("😀", false)]
    public async Task An_id_has_1_to_64_plain_characters(string id, bool isTaken)
    {
        foreach (var (field, value) in new[] { ("customerId", "C-1"), ("channelId", "POS-1"), ("transactionId", "T-1"), ("storeId", "S-1") })
            await AssertField("identify", $"\"{value}\"", $"\"{id}\"", isTaken ? null : field);
        await AssertField("calculate", "\"sess_1\"", $"\"{id}\"", isTaken ? null : "sessionId");
        await AssertField("finalize", "\"sess_1\"", $"\"{id}\"", isTaken ? null : "sessionId");
        await AssertField("finalize", "\"T-1\"", $"\"{id}\"", isTaken ? null : "transactionId");
    }

    [Theory]
    [InlineData("0", true)]
    [InlineData("0.00", true)]
    [InlineData("-0", true)]
    [InlineData("-0.00", true)]
    [InlineData("0.01", true)]
    [InlineData("1.500", true)]
    [InlineData("1.5e2", true)]
    [InlineData("1.5E+2", true)]
    [InlineData("15000e-2", true)]
    [InlineData("999999.99", true)]
    [InlineData("999999.990000", true)]
    [InlineData("999999.991", false)]
    [InlineData("1000000", false)]
    [InlineData("1e6", false)]
    [InlineData("-0.01", false)]
    [InlineData("0.001", false)]
    [InlineData("1.001", false)]
    [InlineData("1e-3", false)]
    // Rounded to the precision of a decimal, these would be valid amounts.
    [InlineData("1e-30", false)]
    [InlineData("-1e-30", false)]
    [InlineData("1e-9999999999", false)]
    [InlineData("150.0000000000000000000000000000001", false)]
    [InlineData("149.9999999999999999999999999999999", false)]
    [InlineData("150.0000000000000000000000000000000", true)]
    [InlineData("1500000000000000000000000000000000e-31", true)]
    [InlineData("0e-30", true)]
    public async Task An_amount_is_from_0_to_999999_99_in_cents(string amount, bool isTaken)
    {
        await AssertField("calculate", "150.00", amount, isTaken ? null : "transactionAmount");
        await AssertField("calculate", "1.50", amount, isTaken ? null : "items[0].unitPrice");
        await AssertField("finalize", "150.00", amount, isTaken ? null : "finalAmount");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(500, true)]
    [InlineData(501, false)]
    public async Task A_basket_has_0_to_500_lines(int count, bool isTaken)
    {
        var items = string.Join(',', Enumerable.Repeat("""{"sku":"A","qty":1}""", count));

        await AssertField("calculate", """{"sku":"A","qty":1,"unitPrice":1.50,"category":"food"}""", items, isTaken ? null : "items");
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("9999", true)]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("10000", false)]
    [InlineData("null", false)]
    public async Task A_quantity_is_1_to_9999(string qty, bool isTaken) =>
        await AssertField("calculate", "\"qty\":1", $"\"qty\":{qty}", isTaken ? null : "items[0].qty");

    [Theory]
    [InlineData("0", true)]
    [InlineData("99999999", true)]
    [InlineData("null", true)]
    [InlineData("100000000", false)]
    [InlineData("-1", false)]
    public async Task Points_to_redeem_have_bounds(string points, bool isTaken)
    {
        await AssertField("calculate", "\"redeemPoints\":0", $"\"redeemPoints\":{points}", isTaken ? null : "redeemPoints");
        await AssertField("finalize", "\"redeemPoints\":0", $"\"redeemPoints\":{points}", isTaken ? null : "redeemPoints");
    }

    [Fact]
    public async Task Any_bytes_yield_a_value_or_a_refusal() => await Gen.Select(Gen.OneOf(Routes), Gen.Byte.Array[0, 200]).SampleAsync(async (route, bytes) =>
        AssertEitherOr(await Bind(route, bytes)), iter: 20_000);

    [Fact]
    public async Task Any_JSON_yields_a_value_or_a_refusal() => await Gen.Select(Gen.OneOf(Routes), JsonSoup).SampleAsync(async (route, text) =>
        AssertEitherOr(await Bind(route, Encoding.UTF8.GetBytes(text))), iter: 20_000);

    [Fact]
    public async Task Any_mutated_body_yields_a_value_or_a_refusal() => await Gen.Select(Gen.OneOf(Routes), Mutation.Array[1, 4]).SampleAsync(async (route, mutations) =>
    {
        var body = mutations.Aggregate(Encoding.UTF8.GetBytes(Valid(route)), (bytes, mutate) => mutate(bytes));

        AssertEitherOr(await Bind(route, body));
    }, iter: 50_000);

    // JSON tokens in any order.
    private static readonly Gen<string> JsonSoup = Gen.OneOf(
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "1", "-", "1e400", "0.1", " ", "\n", "\0", "\uFEFF", "é", "\\uD800", "\\u0000",
        "\"customerId\"", "\"channelId\"", "\"transactionId\"", "\"metadata\"", "\"sessionId\"", "\"items\"", "\"sku\"", "\"qty\"", "\"finalAmount\"",
        "\"applyRewards\"", "\"version\"", "\"x\"", "\"\\uD800\"", "\"$ref\"", "//", "/*").Array[0, 30].Select(string.Concat);

    // Changes a byte, or removes, duplicates or inserts some.
    private static readonly Gen<Func<byte[], byte[]>> Mutation = Gen.Select(
        Gen.Int[0, 4], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Byte, JsonSoup,
        (kind, first, second, value, soup) => new Func<byte[], byte[]>(bytes =>
        {
            var from = (int)(Math.Min(first, second) * bytes.Length);
            var to = (int)(Math.Max(first, second) * bytes.Length);
            return kind switch
            {
                0 => [.. bytes[..from], value, .. bytes.Skip(from + 1)],
                1 => [.. bytes[..from], .. bytes[to..]],
                2 => [.. bytes[..to], .. bytes[from..]],
                3 => [.. bytes[..from], value, .. bytes[from..]],
                _ => [.. bytes[..from], .. Encoding.UTF8.GetBytes(soup), .. bytes[from..]],
            };
        }));

    private static string Valid(string route) => route switch
    {
        "identify" => Identify,
        "calculate" => Calculate,
        _ => Finalize,
    };

    private static Task<(object? Value, Rejection? Rejection)> Bind(string route, byte[] body) =>
        Bind(route, Request(new MemoryStream(body), "application/json"));

    private static async Task<(object? Value, Rejection? Rejection)> Bind(string route, HttpContext context) => route switch
    {
        "identify" => Parts(await Body<IdentifyRequest>.BindAsync(context, null!)),
        "calculate" => Parts(await Body<CalculateRewardsRequest>.BindAsync(context, null!)),
        _ => Parts(await Body<FinalizeRequest>.BindAsync(context, null!)),
    };

    private static (object? Value, Rejection? Rejection) Parts<T>(Body<T> body)
        where T : class, IRequestBody<T> => (body.Value, body.Rejection);

    private static DefaultHttpContext Request(Stream body, string? contentType)
    {
        var context = new DefaultHttpContext { RequestAborted = TestContext.Current.CancellationToken };
        context.Request.Body = body;
        context.Request.ContentType = contentType;
        return context;
    }

    private static void AssertEitherOr((object? Value, Rejection? Rejection) body)
    {
        if (body.Value is null)
            FieldOf(body);
        else
            Assert.Null(body.Rejection);
    }

    private static async Task AssertField(string route, string part, string replacement, string? field)
    {
        var body = Valid(route).Replace(part, replacement);

        var bound = await Bind(route, Encoding.UTF8.GetBytes(body));

        if (field is null)
            Assert.Null(bound.Rejection);
        else
            Assert.Equal(field, FieldOf(bound));
    }

    /// <summary>Returns the field that a refusal names, if any. Checks that the refusal serializes as an answer.</summary>
    private static string FieldOf((object? Value, Rejection? Rejection) body)
    {
        Assert.Null(body.Value);
        Assert.Equal(HttpErrors.ValidationFailed, body.Rejection?.Error);
        Assert.NotEmpty(body.Rejection!.Fields!);
        Answer<SessionResponse> answer = body.Rejection;
        Assert.Equal(400, answer.Status);
        return body.Rejection.Fields![0].Field;
    }

    private static string? MessageOf((object? Value, Rejection? Rejection) body) => body.Rejection?.Fields?[0].Message;

    /// <summary>Returns one byte per read.</summary>
    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
