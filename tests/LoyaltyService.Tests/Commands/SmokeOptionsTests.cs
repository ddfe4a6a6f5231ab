using LoyaltyService.Commands;

namespace LoyaltyService.Tests.Commands;

public sealed class SmokeOptionsTests
{
    [Fact]
    public void The_address_the_key_and_the_customer_are_taken_as_given()
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
    public void What_cannot_be_understood_is_refused(string url, params string[] more) => Assert.Null(SmokeOptions.Parse(url, more, static _ => null));
}
