using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Security;

namespace LoyaltyService.Jobs;

/// <summary>The operators' routes to the jobs. The comments of the handlers are the texts of the API reference.</summary>
internal static class JobEndpoints
{
    public static readonly AuditAction RunJob = new("job.run");

    private const int RunsShown = 5;

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/ops/jobs").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors();

        jobs.MapGet("", ListAsync).WithName("listJobs");
        jobs.MapPost("/{name}/run", RunAsync).WithName("runJob")
            .Produces<JobRunItem>(StatusCodes.Status202Accepted)
            .AddOpenApiOperationTransformer(static (operation, _, _) =>
            {
                operation.Responses?.Remove("200");
                return Task.CompletedTask;
            })
            .Gives(HttpErrors.NotFound, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused);
    }

    /// <summary>List the jobs</summary>
    /// <remarks>What the service does by the clock: when it did so last, and when it will again. Each occurrence is run by one replica.</remarks>
    /// <response code="200">All jobs.</response>
    internal static async Task<Answer<JobsResponse>> ListAsync(
        JobRunner runner, IJobRunStore runs, CancellationToken cancellationToken)
    {
        var jobs = new List<JobItem>();
        foreach (var job in runner.Jobs)
        {
            var clock = await runs.LookAsync(job.Name, cancellationToken);
            var latest = await runs.LatestAsync(job.Name, RunsShown, cancellationToken);
            jobs.Add(new JobItem(job.Name, job.Schedule, JobRunner.Next(job, clock.Now), [.. latest.Select(JobRunItem.Of)]));
        }

        return Answer<JobsResponse>.Of(StatusCodes.Status200OK, new JobsResponse(jobs), JobsJson.Wire.JobsResponse);
    }

    /// <summary>Run a job now</summary>
    /// <remarks>The run goes on after this answer; the list of the jobs shows how far it is. The schedule goes on as it would have.</remarks>
    /// <param name="name">The job.</param>
    /// <response code="202">The run has begun.</response>
    internal static Task<Answer<JobRunItem>> RunAsync(
        string name, HttpContext context, IdempotentRequests requests, JobRunner runner, AuditTrail audit, CancellationToken cancellationToken) =>
        requests.RunAsync(
            context, body: null, () => RunOnceAsync(name, context.Operator(), runner, audit, cancellationToken), alsoSettledBy: StatusCodes.Status202Accepted);

    private static async Task<Answer<JobRunItem>> RunOnceAsync(
        string name, Operator by, JobRunner runner, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (runner.Jobs.FirstOrDefault(job => job.Name == name) is not { } job)
            return new Rejection(HttpErrors.NotFound, $"There is no job of this name. There are: {string.Join(", ", runner.Jobs.Select(known => known.Name))}.");
        var entry = new AuditEntry(by, RunJob, job.Name);
        if (await runner.ClaimByHandAsync(job, entry, cancellationToken) is not { } run)
        {
            return await audit.RefusedAsync(
                entry, new Rejection(HttpErrors.OperationInProgress, "The job is being run already.") { RetryAfter = TimeSpan.FromSeconds(10) });
        }

        runner.Continue(job, run);
        return Answer<JobRunItem>.Accepted(JobRunItem.Of(run), JobsJson.Wire.JobRunItem, "/ops/jobs");
    }
}

/// <param name="Jobs">All of them.</param>
internal sealed record JobsResponse(IReadOnlyList<JobItem> Jobs);

/// <param name="Name">As in the route that runs it.</param>
/// <param name="Schedule">A cron expression, in UTC.</param>
/// <param name="Next">Its next occurrence.</param>
/// <param name="Runs">The latest runs, the latest first.</param>
internal sealed record JobItem(string Name, string Schedule, DateTimeOffset Next, IReadOnlyList<JobRunItem> Runs);

/// <param name="Job">The job.</param>
/// <param name="ScheduledFor">The occurrence; for a run by hand, when it was asked for.</param>
/// <param name="ByHand">An operator asked for it.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended; not there while it runs.</param>
/// <param name="Outcome"><c>running</c>, <c>waiting</c> for a replica to go on with it (by hand: for the next run to do it), <c>done</c> or <c>failed</c>.</param>
/// <param name="Attempts">How often it was tried: once, and again after each failure. To be taken over by another replica is no new try.</param>
/// <param name="Handled">How many things it has done so far.</param>
/// <param name="Error">Why it failed or waits.</param>
internal sealed record JobRunItem(
    string Job,
    DateTimeOffset ScheduledFor,
    bool ByHand,
    DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt,
    string Outcome,
    int Attempts,
    long Handled,
    string? Error)
{
    public static JobRunItem Of(JobRunRow row) => new(
        row.Job, row.ScheduledFor, row.ByHand, row.StartedAt, row.FinishedAt, row.Outcome ?? (row.IsHeld ? "running" : "waiting"), row.Attempts,
        row.Handled, row.Error);
}
