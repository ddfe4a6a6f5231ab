using LoyaltyService.Commands;

namespace LoyaltyService.Tests.Commands;

public sealed class SmokeOptionsTests
{
    [Fact]
    public void Address_key_and_customer_are_used_unchanged()
    {
        var options = SmokeOptions.Parse("http://service.example.com/till", ["--prometheus", "http://prometheus.example.com"], name => name == "SMOKE_API_KEY" ? "key" : null);

        Assert.Equal(new SmokeOptions(new Uri("http://service.example.com/till/"), new Uri("http://prometheus.example.com/"), "key", "CUST-12345"), options);
    }

    [Theory]
    [InlineData("service.example.com")]
    [InlineData("ftp://service.example.com")]
    [InlineData("http://service.example.com", "--prometheus")]
    [InlineData("http://service.example.com", "--prometheus", "prometheus")]
    [InlineData("http://service.example.com", "--else", "http://prometheus.example.com")]
    public void Invalid_arguments_are_refused(string url, params string[] more) => Assert.Null(SmokeOptions.Parse(url, more, static _ => null));
}
