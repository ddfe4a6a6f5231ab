using LoyaltyService.Configuration;
using LoyaltyService.Security;

namespace LoyaltyService.Tests.Security;

public sealed class CreateKeyTests
{
    [Theory]
    [InlineData("loyalty", "Loyalty")]
    [InlineData("ops", "Ops")]
    [InlineData("loyalty+ops", "Loyalty, Ops")]
    public void The_printed_secret_opens_the_printed_API_KEYS_entry(string scope, string expected)
    {
        var key = CreateKey.For("till-north", scope).Key!;

        var ring = new ApiKeyRing(ApiKeyParser.Parse(key.Entry).Value!);

        Assert.Equal($"till-north ({expected})", ring.Find(key.Secret)?.ToString());
        Assert.DoesNotContain(key.Secret, key.Entry, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Secret, key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_has_256_fresh_random_bits()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => CreateKey.For("till", "loyalty").Key!.Secret).ToList();

        Assert.Equal(100, secrets.Distinct().Count());
        Assert.All(secrets, secret => Assert.Matches("^lsk_[A-Za-z0-9_-]{43}$", secret));
    }

    [Theory]
    [InlineData("", "loyalty")]
    [InlineData("till north", "loyalty")]
    [InlineData("till:ops", "loyalty")]
    [InlineData("till,x", "loyalty")]
    [InlineData("till", "everything")]
    [InlineData("till", "loyalty:ops")]
    public void An_invalid_name_or_scope_gets_no_key(string name, string scope)
    {
        var (key, problem) = CreateKey.For(name, scope);

        Assert.Null(key);
        Assert.NotEmpty(problem!);
    }
}
