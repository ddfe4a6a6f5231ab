using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed class ApiKeyParserTests
{
    private const string HashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void A_key_has_a_client_scopes_and_a_hash()
    {
        var keys = ApiKeyParser.Parse($"till-1:loyalty:{Given.HashA}, support:loyalty+ops:{Given.HashB}").Value;

        Assert.NotNull(keys);
        Assert.Equal(["till-1", "support"], keys.Select(key => key.Client));
        Assert.Equal([ApiScopes.Loyalty, ApiScopes.Loyalty | ApiScopes.Ops], keys.Select(key => key.Scopes));
        Assert.Equal(Enumerable.Repeat((byte)0xAA, 32), keys[0].SecretSha256);
        Assert.Equal(Enumerable.Repeat((byte)0xBB, 32), keys[1].SecretSha256);
    }

    [Fact]
    public void A_client_may_have_two_keys_during_rotation() =>
        Assert.Equal(2, ApiKeyParser.Parse($"till:loyalty:{Given.HashA},till:loyalty:{Given.HashB}").Value?.Count);

    [Theory]
    [InlineData("", "entry 1 must have the form")]
    [InlineData("till:loyalty", "entry 1 must have the form")]
    [InlineData("till:loyalty:" + Given.HashA + ",", "entry 2 must have the form")]
    [InlineData("t ill:loyalty:" + Given.HashA, "entry 1 must have a name")]
    [InlineData(":loyalty:" + Given.HashA, "entry 1 must have a name")]
    [InlineData(Given.HashA + "a:loyalty:" + Given.HashB, "entry 1 must have a name")]
    [InlineData("till:admin:" + Given.HashA, "entry 1 must have loyalty, ops")]
    [InlineData("till:loyalty+:" + Given.HashA, "entry 1 must have loyalty, ops")]
    [InlineData("till:loyalty:secret", "entry 1 must end in a SHA-256 hash")]
    [InlineData("till:loyalty:" + Given.HashA + "aa", "entry 1 must end in a SHA-256 hash")]
    [InlineData("till:loyalty:" + HashOfNothing, "entry 1 must not have the hash of an empty secret")]
    [InlineData("a:ops:" + Given.HashB + ",b:ops:" + Given.HashA + ",a:ops:aAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "its hash is that of entry 2")]
    public void An_error_names_the_position_of_the_bad_entry(string text, string expected) =>
        Assert.Contains(expected, Assert.Single(ApiKeyParser.Parse(text).Problems).Description);

    [Fact]
    public void Errors_name_all_bad_entries() =>
        Assert.Equal(2, ApiKeyParser.Parse($"x,till:loyalty:{Given.HashA},y").Problems.Count);

    [Fact]
    public void Too_many_entries_are_one_error() => Assert.Single(ApiKeyParser.Parse(new string(',', 100_000)).Problems);

    [Fact]
    public void Any_text_yields_keys_or_errors() => CsCheck.Check.Sample(UrlText.Any, text =>
    {
        var parsed = ApiKeyParser.Parse(text);

        Assert.Equal(parsed.Value is null, parsed.Problems.Count > 0);
        Assert.All(parsed.Value ?? [], key => Assert.Equal(32, key.SecretSha256.Length));
    }, iter: 20_000);
}
