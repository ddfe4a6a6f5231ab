using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;
using LoyaltyService.Security;

namespace LoyaltyService.Tests.Security;

public sealed class ApiKeyRingTests
{
    private const int Keys = 500;

    private static readonly ApiKeyRing Ring = new([.. Enumerable.Range(0, Keys).Select(number => KeyOf($"till-{number}", SecretOf(number)))]);

    [Fact]
    public void Two_keys_of_one_name_are_one_client_and_each_has_its_own_scopes()
    {
        var ring = new ApiKeyRing([KeyOf("till", "old"), KeyOf("till", "new", ApiScopes.Ops)]);

        Assert.Equal(("till", ApiScopes.Loyalty), (ring.Find("old")?.Client, ring.Find("old")?.Scopes));
        Assert.Equal(("till", ApiScopes.Ops), (ring.Find("new")?.Client, ring.Find("new")?.Scopes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("OLD")]
    [InlineData("old ")]
    [InlineData("ol")]
    public void Nothing_but_the_secret_itself_is_the_secret(string other) =>
        Assert.Null(new ApiKeyRing([KeyOf("till", "old")]).Find(other));

    /// <summary>
    /// The time of a search is that of comparing every hash. Were it to end at the first match, the first key would take a five-hundredth of
    /// the last one; were it to compare texts, a nearly right secret would take longer. The fastest of many rounds is compared, in turn, so
    /// that what else the machine does counts for none.
    /// </summary>
    [Fact]
    public void The_time_of_a_search_tells_neither_how_wrong_a_secret_is_nor_which_key_it_is()
    {
        var right = SecretOf(Keys / 2);
        string[] secrets = [SecretOf(0), SecretOf(Keys - 1), right, right[..^1] + "!", "!" + right[1..], new string('!', right.Length)];
        var fastest = Enumerable.Repeat(double.MaxValue, secrets.Length).ToArray();

        for (var round = 0; round < 400; round++)
        {
            for (var index = 0; index < secrets.Length; index++)
            {
                var started = Stopwatch.GetTimestamp();
                for (var times = 0; times < 5; times++)
                    Ring.Find(secrets[index]);
                fastest[index] = Math.Min(fastest[index], Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            }
        }

        Assert.True(fastest.Max() < 1.5 * fastest.Min(), $"Microseconds of five searches: {string.Join(", ", fastest)}");
    }

    private static string SecretOf(int number) => $"lsk_{number:D8}-of-a-till-with-a-long-secret";

    private static ApiKey KeyOf(string client, string secret, ApiScopes scopes = ApiScopes.Loyalty) =>
        new(client, scopes, SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
