using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Security;

[Collection(nameof(AtTheEnd))]
public sealed class WholeRunTests
{
    [Fact]
    public void No_service_in_the_run_logged_a_secret_or_a_customers_name()
    {
        var leaks = RunLog.Leaks;

        Assert.True(leaks.Count == 0, $"{leaks.Count} lines of the log of this run:\n{string.Join('\n', leaks.Take(20))}");
    }
}
