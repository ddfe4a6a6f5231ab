using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>Verifies the search of the whole run's log.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RunLogTests
{
    [Fact]
    public async Task Logs_of_this_process_and_of_others_are_searched()
    {
        var before = RunLog.Count;
        await using (var app = await LoyaltyApp.StartAsync(Backend.Sqlite))
            await new Sale(app).IdentifyAsync();
        var here = RunLog.Count;
        await using var database = await TestDatabase.CreateAsync(Backend.Sqlite);
        await using var process = await ServiceProcess.StartServiceAsync(database, new Uri("http://127.0.0.1:1"), new() { ["LOG_LEVEL"] = "debug" });
        await process.LogsAsync("\"level\"");

        Assert.True(here > before);
        Assert.True(RunLog.Count > here);
    }

    [Theory]
    [InlineData("""{"message":"Hello John Doe"}""")]
    [InlineData("""{"message":"asked with simulator-secret"}""")]
    [InlineData("""{"message":"x","header":"Bearer abc"}""")]
    [InlineData("""{"message":"a-secret-of-this-test"}""")]
    public void A_line_with_a_name_or_a_secret_is_found(string line)
    {
        RunLog.Forbid("a-secret-of-this-test");

        Assert.True(RunLog.HasLeak("{\"message\":\"good\"}\n" + line + "\n{\"message\":\"good\"}\n"));
        Assert.False(RunLog.HasLeak("{\"message\":\"good\"}\n"));
    }
}
