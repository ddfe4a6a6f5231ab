using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Security;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>The command <c>key create</c>.</summary>
public sealed class KeyCommandTests
{
    [Theory]
    [InlineData(null, "till-north (Loyalty)")]
    [InlineData("ops", "till-north (Ops)")]
    [InlineData("loyalty+ops", "till-north (Loyalty, Ops)")]
    public async Task It_prints_the_secret_once_and_its_API_KEYS_entry(string? scope, string expected)
    {
        var output = (await RunAsync(["till-north", .. scope is null ? Array.Empty<string>() : ["--scope", scope]])).Succeeded();

        var lines = output.Split('\n');
        var secret = Assert.Single(lines, line => line.StartsWith("lsk_", StringComparison.Ordinal));
        var entry = Assert.Single(lines, line => line.StartsWith("till-north:", StringComparison.Ordinal));
        Assert.Equal(2, output.Split(secret).Length);
        Assert.Equal(expected, new ApiKeyRing(ApiKeyParser.Parse(entry).Value!).Find(secret)?.ToString());
    }

    [Fact]
    public async Task A_second_key_for_a_name_differs() =>
        Assert.NotEqual((await RunAsync("till-north")).Succeeded(), (await RunAsync("till-north")).Succeeded());

    [Theory]
    [InlineData("till north")]
    [InlineData("")]
    [InlineData("till", "--scope", "everything")]
    [InlineData("till", "--scope")]
    [InlineData("till", "--scopes", "ops")]
    [InlineData("till", "ops")]
    [InlineData]
    public async Task Invalid_arguments_create_no_key_and_exit_with_64(params string[] words)
    {
        var ran = await RunAsync(words);

        Assert.Equal(64, ran.ExitCode);
        Assert.DoesNotContain("lsk_", ran.Output, StringComparison.Ordinal);
        Assert.NotEmpty(ran.Output);
    }

    private static Task<Ran> RunAsync(params string[] words) =>
        Ran.ToItsEndAsync("dotnet", [typeof(CreateKey).Assembly.Location, "key", "create", .. words]);
}
