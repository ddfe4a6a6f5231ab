using LoyaltyService.Commands;

namespace LoyaltyService.Tests.Commands;

public sealed class SmokeMonitoringTests
{
    [Theory]
    [InlineData(10.0, 10.0, 0.0, true)]
    [InlineData(5.0, 10.0, 0.25, true)]
    [InlineData(4.9, 10.0, 0.0, false)]
    [InlineData(10.0, 10.0, 0.6, false)]
    [InlineData(0.0, 0.0, 0.0, true)]
    public void Traffic_is_normal_at_half_the_previous_rate_and_5_percent_errors(double now, double before, double broken, bool isNormal) =>
        Assert.Equal(isNormal, SmokeMonitoring.IsNormal(now, before, broken));
}
