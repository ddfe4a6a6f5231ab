using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>Runs a job as an operator and waits for its end.</summary>
internal static class RunsJobs
{
    /// <returns>The number of items that the job handled.</returns>
    public static async Task<long> RunJobAsync(this LoyaltyApp app, string job)
    {
        var run = await app.PostAsync($"/ops/jobs/{job}/run", "");
        Assert.True(run.Status == 202, run.Text);
        var scheduledFor = run.Json.GetProperty("scheduledFor").GetString();
        var ended = await Eventually.GetAsync(
            async () => (await app.GetAsync("/ops/jobs")).Json.GetProperty("jobs").EnumerateArray()
                .SelectMany(item => item.GetProperty("runs").EnumerateArray())
                .Single(item => item.GetProperty("job").GetString() == job && item.GetProperty("scheduledFor").GetString() == scheduledFor),
            item => item.GetProperty("outcome").GetString() is "done" or "failed", $"{job} has ended");
        Assert.True(ended.GetProperty("outcome").GetString() == "done", ended.ToString());
        return ended.GetProperty("handled").GetInt64();
    }
}
