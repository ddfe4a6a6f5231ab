using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Security;

[Collection(nameof(AtTheEnd))]
public sealed class WholeRunTests
{
    [Fact]
    public void Nothing_that_any_service_of_any_test_has_logged_is_a_secret_a_token_or_a_customers_name()
    {
        var leaks = RunLog.Leaks;

        Assert.True(leaks.Count == 0, $"{leaks.Count} lines of the log of this run:\n{string.Join('\n', leaks.Take(20))}");
    }
}
