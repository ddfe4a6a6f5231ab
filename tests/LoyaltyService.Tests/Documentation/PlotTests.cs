using System.Diagnostics;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Documentation;

public sealed class PlotTests
{
    [Fact]
    public async Task The_plots_show_the_figures_beside_them()
    {
        var start = new ProcessStartInfo("python3", ["bench/plot.py", "--check"]) { WorkingDirectory = Repository.Root(), RedirectStandardError = true };

        using var plot = Process.Start(start)!;
        var errors = await plot.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await plot.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(plot.ExitCode == 0, errors);
    }
}
