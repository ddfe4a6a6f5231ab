using System.CommandLine;
using LoyaltyService.Commands;

namespace LoyaltyService.Tests.Commands;

public sealed class SmokeCommandTests
{
    [Fact]
    public void The_urls_the_key_and_the_customer_are_taken_as_given()
    {
        var parsed = SmokeCommand.Create().Parse(["http://service.example.com/till", "--prometheus", "http://prometheus.example.com"]);

        var options = SmokeCommand.Options(parsed.GetRequiredValue<Uri>("URL"), parsed.GetValue<Uri?>("--prometheus"), name => name == "SMOKE_API_KEY" ? "key" : null);

        Assert.Equal(new SmokeOptions(new Uri("http://service.example.com/till/"), new Uri("http://prometheus.example.com/"), "key", "CUST-12345"), options);
    }

    [Theory]
    [InlineData]
    [InlineData("service.example.com")]
    [InlineData("ftp://service.example.com")]
    [InlineData("http://service.example.com", "--prometheus")]
    [InlineData("http://service.example.com", "--prometheus", "prometheus")]
    [InlineData("http://service.example.com", "--else", "http://prometheus.example.com")]
    public async Task Wrong_arguments_exit_with_64(params string[] words)
    {
        await using var error = new StringWriter();

        Assert.Equal(64, await CommandLine.RunAsync(["smoke", .. words], new InvocationConfiguration { Output = TextWriter.Null, Error = error }));
        Assert.Contains("SMOKE_API_KEY", error.ToString(), StringComparison.Ordinal);
    }
}
