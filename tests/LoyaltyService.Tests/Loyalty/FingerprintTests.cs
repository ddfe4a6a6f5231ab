using System.Text;
using System.Text.Json;
using CsCheck;
using LoyaltyService.Http;
using LoyaltyService.Loyalty;

namespace LoyaltyService.Tests.Loyalty;

public sealed class FingerprintTests
{
    private const string Identify =
        """{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1","storeId":"S-1","metadata":{"a":1,"b":[1,2]}}""";

    private const string Finalize =
        """{"sessionId":"s","transactionId":"T-1","finalAmount":150,"applyRewards":true,"redeemPoints":100}""";

    private const string Calculate =
        """{"sessionId":"s","transactionAmount":150,"items":[{"sku":"A","qty":2,"unitPrice":50,"category":"food"},{"sku":"B","qty":1}],"redeemPoints":100}""";

    [Theory]
    [InlineData("150.0")]
    [InlineData("150.00")]
    [InlineData("1.5e2")]
    [InlineData("1.5E+2")]
    [InlineData("15000e-2")]
    [InlineData("0.15e3")]
    [InlineData("150.000")]
    public void Amounts_are_compared_by_value(string amount) =>
        Assert.Equal(OfFinalize(Finalize), OfFinalize(Finalize.Replace("150", amount)));

    [Theory]
    [InlineData("""{ "customerId" : "C-1", "channelId":"POS-1",  "transactionId":"T-1","storeId":"S-1", "metadata": { "a" : 1, "b": [ 1, 2 ] } }""")]
    [InlineData("""{"metadata":{"a":1,"b":[1,2]},"storeId":"S-1","transactionId":"T-1","channelId":"POS-1","customerId":"C-1"}""")]
    [InlineData("""{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1","storeId":"S-1","metadata":{"b":[1,2],"a":1}}""")]
    [InlineData("""{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1","storeId":"S-1","metadata":{"a":1.0,"b":[10e-1,2.00]}}""")]
    [InlineData("""{"customerId":"\u0043-1","channelId":"POS-1","transactionId":"T-1","storeId":"S-1","metadata":{"\u0061":1,"b":[1,2]}}""")]
    public void Spelling_does_not_change_the_fingerprint(string body) => Assert.Equal(OfIdentify(Identify), OfIdentify(body));

    [Theory]
    [InlineData("C-1", "C-2")]
    [InlineData("POS-1", "POS-2")]
    [InlineData("T-1", "T-2")]
    [InlineData("S-1", "S-2")]
    [InlineData("C-1", "c-1")]
    [InlineData(",\"storeId\":\"S-1\"", "")]
    [InlineData("\"a\":1", "\"a\":2")]
    [InlineData("\"a\":1", "\"a\":\"1\"")]
    [InlineData("\"a\":1", "\"A\":1")]
    [InlineData("[1,2]", "[2,1]")]
    [InlineData("[1,2]", "[1,2,null]")]
    [InlineData("""{"a":1,"b":[1,2]}""", "{}")]
    [InlineData(""","metadata":{"a":1,"b":[1,2]}""", "")]
    public void Each_field_of_identify_changes_the_fingerprint(string part, string other)
    {
        var changed = Identify.Replace(part, other);

        Assert.NotEqual(Identify, changed);
        Assert.NotEqual(OfIdentify(Identify), OfIdentify(changed));
    }

    [Fact]
    public void Null_metadata_equals_absent_metadata() => Assert.Equal(
        OfIdentify("""{"customerId":"C-1","channelId":"P","transactionId":"T"}"""),
        OfIdentify("""{"customerId":"C-1","channelId":"P","transactionId":"T","storeId":null,"metadata":null}"""));

    [Theory]
    [InlineData("\"s\"", "\"t\"")]
    [InlineData("T-1", "T-2")]
    [InlineData("150", "150.01")]
    [InlineData("100", "101")]
    public void Each_field_of_finalize_changes_the_fingerprint(string part, string other) =>
        Assert.NotEqual(OfFinalize(Finalize), OfFinalize(Finalize.Replace(part, other)));

    [Fact]
    public void ApplyRewards_changes_the_fingerprint()
    {
        var nothing = Finalize.Replace("100", "0");

        Assert.NotEqual(OfFinalize(nothing), OfFinalize(nothing.Replace("true", "false")));
    }

    [Fact]
    public void The_version_of_a_finalize_does_not_change_the_fingerprint() =>
        Assert.Equal(OfFinalize(Finalize), OfFinalize(Finalize.Replace("}", ",\"version\":7}")));

    [Fact]
    public void Redeeming_zero_points_equals_omitting_them() =>
        Assert.Equal(OfFinalize(Finalize.Replace("100", "0")), OfFinalize(Finalize.Replace(",\"redeemPoints\":100", "")));

    [Theory]
    [InlineData("\"s\"", "\"t\"")]
    [InlineData("150", "150.01")]
    [InlineData("\"redeemPoints\":100", "\"redeemPoints\":101")]
    [InlineData("\"A\"", "\"a\"")]
    [InlineData("\"qty\":2", "\"qty\":3")]
    [InlineData("\"unitPrice\":50", "\"unitPrice\":50.01")]
    [InlineData("\"unitPrice\":50,", "")]
    [InlineData("\"food\"", "\"drink\"")]
    [InlineData(",\"category\":\"food\"", "")]
    [InlineData(",{\"sku\":\"B\",\"qty\":1}", "")]
    [InlineData("{\"sku\":\"B\",\"qty\":1}", "{\"sku\":\"B\",\"qty\":1},{\"sku\":\"B\",\"qty\":1}")]
    [InlineData("{\"sku\":\"B\",\"qty\":1}", "{\"sku\":\"B\",\"qty\":1,\"unitPrice\":0}")]
    public void Each_field_of_a_calculation_changes_the_fingerprint(string part, string other)
    {
        var changed = Calculate.Replace(part, other);

        Assert.NotEqual(Calculate, changed);
        Assert.NotEqual(OfCalculate(Calculate), OfCalculate(changed));
    }

    [Fact]
    public void The_order_of_a_basket_changes_the_fingerprint() => Assert.NotEqual(
        OfCalculate("""{"sessionId":"s","transactionAmount":1,"items":[{"sku":"A","qty":1},{"sku":"B","qty":2}]}"""),
        OfCalculate("""{"sessionId":"s","transactionAmount":1,"items":[{"sku":"B","qty":2},{"sku":"A","qty":1}]}"""));

    [Theory]
    [InlineData("150", "1.5e2")]
    [InlineData("\"unitPrice\":50", "\"unitPrice\":50.00")]
    [InlineData("\"sku\":\"A\",\"qty\":2", "\"qty\":2,\"sku\":\"\\u0041\"")]
    [InlineData("\"qty\":1", "\"qty\":1,\"category\":null")]
    [InlineData("\"redeemPoints\":100", "\"redeemPoints\":100,\"version\":7")]
    public void Spelling_and_version_do_not_change_a_calculations_fingerprint(string part, string other)
    {
        var changed = Calculate.Replace(part, other);

        Assert.NotEqual(Calculate, changed);
        Assert.Equal(OfCalculate(Calculate), OfCalculate(changed));
    }

    [Fact]
    public void Calculating_with_zero_points_equals_omitting_them() =>
        Assert.Equal(OfCalculate(Calculate.Replace("100", "0")), OfCalculate(Calculate.Replace(",\"redeemPoints\":100", "")));

    [Fact]
    public void Null_and_empty_differ() => Assert.NotEqual(Of(null), Of(""));

    [Fact]
    public void Purposes_differ() => Assert.NotEqual(new Fingerprint("identify").ToGuid(), new Fingerprint("finalize").ToGuid());

    [Fact]
    public void Adjacent_fields_do_not_run_together() => Gen.Select(Gen.String[0, 5].Array[0, 4], Gen.String[0, 5].Array[0, 4]).Sample((one, other) =>
        Assert.Equal(one.Select(Bytes).SequenceEqual(other.Select(Bytes)), Of(one) == Of(other)));

    [Theory]
    [InlineData("ab", "c", "a", "bc")]
    [InlineData("abc", "", "", "abc")]
    [InlineData("", "abc", "abc", "")]
    public void Moving_a_character_between_fields_changes_the_fingerprint(string first, string second, string third, string fourth) =>
        Assert.NotEqual(Of(first, second), Of(third, fourth));

    [Fact]
    public void Amounts_are_equal_exactly_if_their_cents_are() => Gen.Select(Gen.Int[0, 99_999_999], Gen.Int[0, 99_999_999]).Sample((one, other) =>
    {
        Assert.Equal(one == other, OfAmount(one / 100m) == OfAmount(other / 100m));
        Assert.Equal(OfAmount(one / 100m), OfAmount(one / 100m * 1.0000m));
    });

    [Theory]
    [InlineData("till", "POS-1", "T-2")]
    [InlineData("till", "POS-2", "T-1")]
    [InlineData("kiosk", "POS-1", "T-1")]
    [InlineData("till", "POS-1T", "-1")]
    [InlineData("tillPOS-1", "", "T-1")]
    public void Client_channel_and_transaction_identify_a_sale(string client, string channel, string transaction)
    {
        Assert.Equal(Fingerprint.OfSale("till", "POS-1", "T-1"), Fingerprint.OfSale("till", "POS-1", "T-1"));
        Assert.NotEqual(Fingerprint.OfSale("till", "POS-1", "T-1"), Fingerprint.OfSale(client, channel, transaction));
    }

    // Fingerprints are stored for good and compared by every release. These are the values of the first release.
    [Fact]
    public void Fingerprints_are_stable_across_releases() => Assert.Equal(
        (Guid.Parse("e2973684-ed69-3f48-5c6d-2abbea37f32d"), Guid.Parse("e93bad01-82af-d970-8626-f08e9a6c489e"),
            Guid.Parse("640a7e9e-115e-0e58-dae8-c212306007a7")),
        (Fingerprint.OfSale("till", "POS-1", "T-1"), OfIdentify(Identify), OfFinalize(Finalize)));

    private static Guid Of(params string?[]? texts)
    {
        var fingerprint = new Fingerprint("test");
        foreach (var text in texts ?? [null])
            fingerprint.Add(text);
        return fingerprint.ToGuid();
    }

    private static Guid OfAmount(decimal amount)
    {
        var fingerprint = new Fingerprint("test");
        fingerprint.Add(amount);
        return fingerprint.ToGuid();
    }

    private static string Bytes(string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text));

    private static Guid OfIdentify(string body) => Valid(JsonSerializer.Deserialize(body, LoyaltyJson.Wire.IdentifyRequest)).ToFingerprint();

    private static Guid OfCalculate(string body) => Valid(JsonSerializer.Deserialize(body, LoyaltyJson.Wire.CalculateRewardsRequest)).ToFingerprint();

    private static Guid OfFinalize(string body) => Valid(JsonSerializer.Deserialize(body, LoyaltyJson.Wire.FinalizeRequest)).ToFingerprint();

    private static T Valid<T>(T? request)
        where T : class, IRequestBody
    {
        var errors = new List<FieldError>();
        request!.Validate(errors);
        Assert.Empty(errors);
        return request;
    }
}
