using PdiSimulator;

namespace LoyaltyService.Tests.Simulator;

public sealed class OptionTests
{
    [Fact]
    public void Defaults_are_as_documented()
    {
        var options = SimulatorOptions.Parse([]);

        Assert.Equal(("127.0.0.1", 4010, "pdi-ledger.db"), (options.Host.ToString(), options.Port, options.LedgerPath));
        Assert.Equal(("loyalty", "simulator-secret"), (options.ClientId, options.ClientSecret));
        Assert.Equal(TimeSpan.FromHours(1), options.TokenLifetime);
        Assert.False(options.Durable);
        Assert.Empty(options.Faults);
    }

    [Fact]
    public void An_option_accepts_an_equals_sign()
    {
        var options = SimulatorOptions.Parse(["--port=5000", "--fault=identify:latency:latencyMs=20,count=3", "--durable"]);

        Assert.Equal(5000, options.Port);
        Assert.True(options.Durable);
        var (target, fault) = Assert.Single(options.Faults);
        Assert.Equal(("identify", 20, 3), (target.ToString(), fault.LatencyMs, fault.Count));
    }

    [Theory]
    [InlineData("--nope", "1")]
    [InlineData("--port")]
    [InlineData("--port", "70000")]
    [InlineData("--host", "nowhere")]
    [InlineData("--token-lifetime", "0")]
    [InlineData("--fault", "finalize")]
    [InlineData("--fault", "nothing:reset")]
    [InlineData("--fault", "finalize:explode")]
    [InlineData("--fault", "finalize:reset:count")]
    [InlineData("--fault", "finalize:reset:count=many")]
    public void An_invalid_option_is_named(params string[] args)
    {
        var mistake = Assert.Throws<SimulatorOptionException>(() => SimulatorOptions.Parse(args));

        Assert.Contains(args[0], mistake.Message, StringComparison.Ordinal);
    }
}
