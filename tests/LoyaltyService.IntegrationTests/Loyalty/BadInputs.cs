using System.Text;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>A body or raw request that the service must refuse, and the expected refusal.</summary>
/// <param name="Name">The defect, for the test's name.</param>
internal sealed record BadInput(string Name, byte[] Bytes)
{
    public int Status { get; init; } = 400;

    public string Code { get; init; } = "validation_failed";

    public string? ContentType { get; init; } = "application/json";
}

/// <summary>The table of bad bodies: those that every route refuses, and those for the fields of one route.</summary>
internal static class BadInputs
{
    public const string AnySession = "sess_00000000000040008000000000000000";

    /// <summary>A valid body per route. Each bad body differs from it in one point.</summary>
    public static IReadOnlyDictionary<string, string> Good { get; } = new Dictionary<string, string>
    {
        ["identify"] = """{"customerId":"CUST-12345","channelId":"POS-001","transactionId":"TXN-67890","storeId":"STORE-1","metadata":{"cashier":"7","basket":[1,2.50]}}""",
        ["calculate-rewards"] = """{"sessionId":"sess_00000000000040008000000000000000","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2,"unitPrice":75.00,"category":"food"}],"redeemPoints":0}""",
        ["finalize"] = """{"sessionId":"sess_00000000000040008000000000000000","transactionId":"TXN-67890","finalAmount":150.00,"applyRewards":true,"redeemPoints":0}""",
    };

    public static IEnumerable<BadInput> For(string route) => [.. ForAny(Good[route]), .. OfFields(route)];

    private static IEnumerable<BadInput> ForAny(string good)
    {
        var bytes = Encoding.UTF8.GetBytes(good);
        var text = good.IndexOf(":\"", StringComparison.Ordinal) + 2;
        var rest = good[1..];

        yield return Text("empty", "");
        yield return Text("blank", " \r\n\t ");
        foreach (var other in new[] { "null", "true", "0", "\"text\"", "[]", "[[]]", "[null]", "{}", "{\"\":1}" })
            yield return Text("only " + other, other);
        yield return Text("in an array", $"[{good}]");
        yield return Text("twice", good + good);
        yield return Text("with text after it", good + "x");
        yield return Text("with NUL after it", good + "\0");
        yield return Text("with a trailing comma", good[..^1] + ",}");
        yield return Text("with a comment", "/* */" + good);
        yield return Text("in single quotes", good.Replace('"', '\''));
        yield return Text("names without quotes", good.Replace("{\"", "{", StringComparison.Ordinal).Replace("\":", ":", StringComparison.Ordinal));
        yield return Text("with an unknown member", "{\"unknown\":1," + rest);
        yield return Text("with an unknown member that is null", "{\"unknown\":null," + rest);
        yield return Text("members of another case", good.Replace("transaction", "Transaction", StringComparison.Ordinal).Replace("sessionId", "SessionId", StringComparison.Ordinal));
        yield return Text("a member twice", "{" + FirstMember(good) + "," + rest);
        yield return Text("a member twice, once escaped", "{" + Escaped(FirstMember(good)) + "," + rest);
        yield return Text("a first member that is null", good.Replace(FirstMember(good), FirstName(good) + ":null", StringComparison.Ordinal));
        foreach (var value in new[] { "1", "1e400", "-1e400", "true", "{}", "[]", "NaN", "Infinity", "-Infinity", "undefined", "\"\"", "\"a b\"", "\"ä\"", "\"a/b\"", "\"..\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"\\u12\"", "\"" + new string('a', 65) + "\"", "\"" + new string('a', 60_000) + "\"", new string('9', 60_000) })
            yield return Text("a first member of " + Short(value), good.Replace(FirstMember(good), FirstName(good) + ":" + value, StringComparison.Ordinal));
        yield return Text("a lone surrogate as a name", "{\"\\ud800\":1," + rest);
        yield return Text("a NUL as a name", "{\"\\u0000\":1," + rest);
        yield return Text("10,000 arrays", new string('[', 10_000) + new string(']', 10_000));
        yield return Text("10,000 arrays that stay open", new string('[', 10_000));
        yield return Text("10,000 objects", string.Concat(Enumerable.Repeat("{\"a\":", 10_000)) + "1" + new string('}', 10_000));
        yield return Text("10,000 arrays in an unknown member", "{\"unknown\":" + new string('[', 10_000) + new string(']', 10_000) + "," + rest);
        yield return Text("10,000 arrays in a known member", good.Replace(FirstMember(good), FirstName(good) + ":" + new string('[', 10_000) + new string(']', 10_000), StringComparison.Ordinal));
        yield return Text("5,000 unknown members", "{" + string.Concat(Enumerable.Range(0, 5_000).Select(number => $"\"u{number}\":1,")) + rest);

        yield return new("with a byte order mark", [.. Encoding.UTF8.Preamble, .. bytes]);
        yield return new("UTF-16", Encoding.Unicode.GetBytes(good));
        yield return new("UTF-16 with a byte order mark", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(good)]);
        yield return new("UTF-16 of the other end", [.. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes(good)]);
        yield return new("UTF-32", Encoding.UTF32.GetBytes(good));
        yield return new("NUL alone", [0]);
        yield return new("NUL before it", [0, .. bytes]);
        foreach (var (name, wrong) in new (string, byte[])[]
        {
            ("NUL", [0]), ("a control character", [1]), ("a line break", [10]), ("a byte that is never UTF-8", [0xFF]),
            ("an overlong slash", [0xC0, 0xAF]), ("a surrogate in UTF-8", [0xED, 0xA0, 0x80]), ("half a character", [0xE2, 0x82]),
            ("beyond Unicode", [0xF5, 0x80, 0x80, 0x80]),
        })
            yield return new("a text with " + name, [.. bytes[..text], .. wrong, .. bytes[text..]]);

        yield return new("one byte more than 64 KiB", [.. bytes, .. Enumerable.Repeat((byte)' ', (64 * 1024) - bytes.Length + 1)]) { Status = 413, Code = "body_too_large" };
        foreach (var type in new string?[]
        {
            null, "", "text/plain", "text/json", "application/xml", "application/jsonx", "application/problem+json", "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x", "json", "*/*", "application/*", "application/json; charset=utf-16", "application/json; charset=iso-8859-1",
            "application/json, text/plain", "\u0001",
        })
            yield return new($"of type {type ?? "nothing"}", bytes) { Status = 415, Code = "unsupported_media_type", ContentType = type };
    }

    private static IEnumerable<BadInput> OfFields(string route)
    {
        switch (route)
        {
            case "identify":
                foreach (var field in new[] { "customerId", "channelId", "transactionId" })
                    yield return Text("without " + field, Good[route].Replace($"\"{field}\"", "\"metadata2\"", StringComparison.Ordinal));
                yield return Text("an empty store", With(route, "storeId", "\"\""));
                foreach (var metadata in new[]
                {
                    "[]", "1", "\"text\"", "true", "{\"a\":\"\\u0000\"}", "{\"\\u0000\":1}", "{\"a\":[{\"b\":\"x\\u0000\"}]}", "{\"a\":\"\\ud800\"}", "{\"\\udfff\":1}",
                    "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":NaN}", "{\"a\":}", "{\"a\":01}", "{\"a\":1,}",
                })
                    yield return Text("metadata of " + metadata, WithMetadata(metadata));
                yield return Text("metadata of 4 KiB and a byte", WithMetadata("{\"a\":\"" + new string('x', 4097 - 8) + "\"}"));
                yield return Text("metadata of 60 KiB", WithMetadata("{\"a\":\"" + new string('x', 60_000) + "\"}"));
                yield return Text("metadata 10,000 deep", WithMetadata("{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}"));
                break;
            case "calculate-rewards":
                foreach (var amount in Amounts)
                    yield return Text("an amount of " + Short(amount), With(route, "transactionAmount", amount));
                foreach (var points in Points)
                    yield return Text("points of " + Short(points), With(route, "redeemPoints", points));
                foreach (var version in new[] { "0", "-1", "1.5", "2147483648", "\"1\"", "1e400" })
                    yield return Text("a version of " + version, With(route, "redeemPoints", "0,\"version\":" + version));
                foreach (var items in new[]
                {
                    "null", "{}", "1", "[null]", "[1]", "[[]]", "[{}]", Item("\"sku\":\"\",\"qty\":1"), Item("\"sku\":\"A\""), Item("\"sku\":\"A\",\"qty\":0"), Item("\"sku\":\"A\",\"qty\":10000"),
                    Item("\"sku\":\"A\",\"qty\":1.5"), Item("\"sku\":\"A\",\"qty\":\"1\""), Item("\"sku\":\"A\",\"qty\":1e400"), Item("\"sku\":\"A\",\"qty\":1,\"qty\":1"),
                    Item("\"sku\":\"A\",\"qty\":1,\"unknown\":1"), Item("\"sku\":\"A\\u0000\",\"qty\":1"), Item("\"sku\":\"\\ud800\",\"qty\":1"), Item("\"sku\":\"A\",\"qty\":1,\"unitPrice\":-1"),
                    Item("\"sku\":\"A\",\"qty\":1,\"unitPrice\":0.001"), Item("\"sku\":\"A\",\"qty\":1,\"category\":\"\""),
                })
                    yield return Text("items of " + items, WithItems(items));
                yield return Text("501 items", WithItems("[" + string.Join(',', Enumerable.Repeat("{\"sku\":\"A\",\"qty\":1}", 501)) + "]"));
                break;
            default:
                foreach (var amount in Amounts)
                    yield return Text("an amount of " + Short(amount), With(route, "finalAmount", amount));
                foreach (var points in Points)
                    yield return Text("points of " + Short(points), With(route, "redeemPoints", points));
                foreach (var flag in new[] { "null", "0", "1", "\"true\"", "True", "{}" })
                    yield return Text("applyRewards of " + flag, With(route, "applyRewards", flag));
                yield return Text("points without rewards", With(route, "applyRewards", "false").Replace("\"redeemPoints\":0", "\"redeemPoints\":1", StringComparison.Ordinal));
                break;
        }
    }

    private static string[] Amounts =>
    [
        "-0.01", "1000000", "999999.991", "0.001", "1e400", "-1e400", "1e30", "79228162514264337593543950336", "NaN", "Infinity", "\"150.00\"", "null", "true", "{}", "[]", "01", "+1", ".5", "1.",
        "0x10", "1_000", "1,000", "--1", "1e", new string('9', 60_000), "0." + new string('0', 60_000) + "x",
    ];

    private static string[] Points => ["-1", "100000000", "0.5", "1e400", "9223372036854775808", "\"0\"", "true", "{}"];

    private static string With(string route, string field, string value) =>
        System.Text.RegularExpressions.Regex.Replace(Good[route], $"\"{field}\":(\"[^\"]*\"|[^,}}]*)", _ => $"\"{field}\":{value}");

    private static string WithMetadata(string metadata) => Good["identify"][..Good["identify"].IndexOf("\"metadata\"", StringComparison.Ordinal)] + "\"metadata\":" + metadata + "}";

    private static string WithItems(string items) => $$"""{"sessionId":"{{AnySession}}","transactionAmount":150.00,"items":{{items}}}""";

    private static string Item(string members) => "[{" + members + "}]";

    private static string FirstMember(string good) => good[1..good.IndexOf(',')];

    private static string FirstName(string good) => good[1..good.IndexOf(':')];

    private static string Escaped(string member) => $"\"\\u{(int)member[1]:x4}{member[2..]}";

    private static string Short(string value) => value.Length <= 40 ? value : $"{value[..10]}… ({value.Length})";

    private static BadInput Text(string name, string body) => new(name, Encoding.UTF8.GetBytes(body));
}
