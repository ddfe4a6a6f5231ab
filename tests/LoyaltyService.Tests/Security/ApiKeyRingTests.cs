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
    public void Two_keys_with_one_name_are_one_client_with_separate_scopes()
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
    public void Only_the_exact_secret_matches(string other) =>
        Assert.Null(new ApiKeyRing([KeyOf("till", "old")]).Find(other));

    /// <summary>
    /// A lookup compares every hash. If it stopped at the first match, the first key would take 1/500 of the time of the last. If it
    /// compared texts, a nearly correct secret would take longer. The test compares the fastest of many interleaved rounds, to exclude
    /// noise from the machine.
    /// </summary>
    [Fact]
    public void The_lookup_time_reveals_nothing_about_keys_or_secrets()
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
