using System.Diagnostics.Metrics;
using LoyaltyService.Http;
using LoyaltyService.Jobs;
using LoyaltyService.RateLimits;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Observability;

/// <summary>
/// What the service counts and times: a method an event. The names are the brief's; ours begin with <c>loyalty_</c>. No label holds a
/// customer, a session or anything else that a caller chooses. What is measured by looking, and not by an event, is in
/// <c>LoyaltyGauges</c>.
/// </summary>
internal sealed class LoyaltyMetrics
{
    public const string MeterName = "LoyaltyService";

    // Milliseconds. 1 to 25 for what the service itself takes, 2 s for the latency alert, 3, 5, 8 and 10 s for PDI's budgets.
    public static readonly double[] Buckets = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 8000, 10000];

    private readonly Counter<long> errors;
    private readonly Counter<long> sessionsCreated;
    private readonly Counter<long> sessionsFinalized;
    private readonly Counter<long> sessionsExpired;
    private readonly Counter<long> pointsEarned;
    private readonly Counter<long> pointsRedeemed;
    private readonly Counter<long> rollbacks;
    private readonly Counter<long> requests;
    private readonly Counter<long> estimateDifferences;
    private readonly Counter<long> replayLookups;
    private readonly Counter<long> jobRuns;
    private readonly Counter<long> findings;
    private readonly Counter<long> rateDecisions;
    private readonly Counter<long> rateRefusals;

    public LoyaltyMetrics(Meter meter)
    {
        IdentifyDuration = new("loyalty_identify_duration_ms", "Time of an identify, from its request to its answer.", meter);
        CalculateDuration = new("loyalty_calculate_duration_ms", "Time of a calculate-rewards, from its request to its answer.", meter);
        FinalizeDuration = new("loyalty_finalize_duration_ms", "Time of a finalize, from its request to its answer.", meter);
        PdiDuration = new("pdi_request_duration_ms", "Time of one request to PDI; a retry is a request of its own.", meter,
            [.. PdiOperations.All.Select(operation => new[] { new Label("operation", operation), new Label("outcome", PdiOutcomes.Ok) })]);

        errors = meter.CreateCounter<long>("loyalty_errors_total", null, "Errors that callers were answered with, by code.");
        sessionsCreated = meter.CreateCounter<long>("sessions_created_count", null, "Sessions that were created.");
        sessionsFinalized = meter.CreateCounter<long>("sessions_finalized_count", null, "Sessions that were finalized.");
        sessionsExpired = meter.CreateCounter<long>("session_expiry_count", null, "Sessions that expired before they were finalized.");
        pointsEarned = meter.CreateCounter<long>("points_earned_total", null, "Points that PDI gave for finalized sessions.");
        pointsRedeemed = meter.CreateCounter<long>("points_redeemed_total", null, "Points that were redeemed by finalized sessions.");
        rollbacks = meter.CreateCounter<long>(
            "db_transaction_rollbacks", null, "Statements that PostgreSQL rolled back: serialization failures, deadlocks, lock timeouts.");
        requests = meter.CreateCounter<long>("http_requests_total", null, "Requests that were answered, by route, method and status.");
        estimateDifferences = meter.CreateCounter<long>(
            "loyalty_estimate_differences", null, "Sales for which PDI gave other points than had been estimated without it.");
        replayLookups = meter.CreateCounter<long>(
            "loyalty_replay_lookups", null, "Repeats that were answered from the cache (hit) or, since it had nothing, from the database (miss).");
        jobRuns = meter.CreateCounter<long>("loyalty_job_runs", null, "Runs of jobs, by outcome.");
        findings = meter.CreateCounter<long>("loyalty_reconciliation_findings", null, "Differences between the sessions here and PDI's records, by kind.");
        rateDecisions = meter.CreateCounter<long>("loyalty_rate_limit_decisions", null, "Requests that were held against the rate limits, by who decided.");
        rateRefusals = meter.CreateCounter<long>("loyalty_rate_limit_refusals", null, "Requests that were refused by a rate limit, by limit.");
    }

    /// <summary>What the daily summary says of calls and of PDI.</summary>
    public DailyCounts Daily { get; } = new();

    public DurationHistogram IdentifyDuration { get; }

    public DurationHistogram CalculateDuration { get; }

    public DurationHistogram FinalizeDuration { get; }

    public DurationHistogram PdiDuration { get; }

    public IReadOnlyList<DurationHistogram> Histograms => [IdentifyDuration, CalculateDuration, FinalizeDuration, PdiDuration];

    /// <param name="operation">One of <see cref="PdiOperations"/>.</param>
    /// <param name="outcome">One of <see cref="PdiOutcomes"/>.</param>
    /// <param name="took">With the body of the answer.</param>
    public void PdiAnswered(string operation, string outcome, TimeSpan took)
    {
        PdiDuration.Record(took, new Label("operation", operation), new Label("outcome", outcome));
        Daily.PdiAnswered(outcome == PdiOutcomes.Failed);
    }

    public void ErrorAnswered(ErrorCode error) => errors.Add(1, new Label("code", error.Describe().Code));

    public void SessionCreated() => sessionsCreated.Add(1);

    public void SessionFinalized(long earned, long redeemed)
    {
        sessionsFinalized.Add(1);
        pointsEarned.Add(earned);
        pointsRedeemed.Add(redeemed);
    }

    public void SessionsExpired(int count) => sessionsExpired.Add(count);

    public void EstimateDiffered() => estimateDifferences.Add(1);

    public void StatementRolledBack() => rollbacks.Add(1);

    /// <summary>
    /// A repeat got the answer that was there already. Only such looks into the cache count: that the first call of a sale finds
    /// nothing says nothing about the cache.
    /// </summary>
    public void RepeatAnswered(bool fromCache) => replayLookups.Add(1, new Label("result", fromCache ? "hit" : "miss"));

    /// <param name="job">One of <see cref="JobNames"/>. Its label is not <c>job</c>: Prometheus keeps that for what it scrapes.</param>
    /// <param name="succeeded">False if it ended with an exception.</param>
    public void JobEnded(string job, bool succeeded) =>
        jobRuns.Add(1, new Label("job_name", job), new Label("outcome", succeeded ? "done" : "failed"));

    /// <param name="kind">One of <see cref="FindingKinds"/>.</param>
    public void FindingFound(string kind) => findings.Add(1, new Label("kind", kind));

    public void RateDecided(DecidedBy by) => rateDecisions.Add(1, new Label("by", LabelOf(by)));

    public void RateRefused(LimitKind limit) => rateRefusals.Add(1, new Label("limit", LabelOf(limit)));

    /// <param name="endpoint">The route's template, never the path.</param>
    /// <param name="method">A method that HTTP knows.</param>
    /// <param name="status">As text.</param>
    public void RequestAnswered(string endpoint, string method, string status)
    {
        requests.Add(1, new Label("endpoint", endpoint), new Label("method", method), new Label("status", status));
        if (endpoint.StartsWith("/loyalty/", StringComparison.Ordinal))
            Daily.CallAnswered(failed: status[0] == '5');
    }

    /// <summary>
    /// A counter is seen from its first touch, and a rate over one that is not there is not zero but nothing. Touched by each scrape:
    /// a touch costs nothing, and one from before somebody listened would be lost.
    /// </summary>
    /// <param name="jobs">Those that this service has.</param>
    /// <param name="routes">The tills', with their methods: of them a failure is missed least, and so is the step to the first one.</param>
    public void ShowAtZero(IEnumerable<IJob> jobs, IEnumerable<(string Endpoint, string Method)> routes)
    {
        foreach (var counter in new[] { sessionsCreated, sessionsFinalized, sessionsExpired, pointsEarned, pointsRedeemed, rollbacks, estimateDifferences })
            counter.Add(0);
        foreach (var code in Errors.All.Select(error => error.Code).Distinct())
            errors.Add(0, new Label("code", code));
        foreach (var result in new[] { "hit", "miss" })
            replayLookups.Add(0, new Label("result", result));
        foreach (var job in jobs)
        {
            foreach (var outcome in new[] { "done", "failed" })
                jobRuns.Add(0, new Label("job_name", job.Name), new Label("outcome", outcome));
        }

        foreach (var kind in FindingKinds.All)
            findings.Add(0, new Label("kind", kind));
        foreach (var by in Enum.GetValues<DecidedBy>())
            rateDecisions.Add(0, new Label("by", LabelOf(by)));
        foreach (var limit in Enum.GetValues<LimitKind>())
            rateRefusals.Add(0, new Label("limit", LabelOf(limit)));

        requests.Add(0, new Label("endpoint", RequestMetrics.Unmatched), new Label("method", "GET"), new Label("status", "404"));
        foreach (var (endpoint, method) in routes)
        {
            foreach (var status in new[] { "500", "503" })
                requests.Add(0, new Label("endpoint", endpoint), new Label("method", method), new Label("status", status));
        }
    }

    private static string LabelOf(DecidedBy by) => by switch
    {
        DecidedBy.Memory => "memory",
        DecidedBy.Redis => "redis",
        _ => "fallback",
    };

    private static string LabelOf(LimitKind limit) => limit switch
    {
        LimitKind.Global => "global",
        LimitKind.Customer => "customer",
        LimitKind.Address => "address",
        _ => "client",
    };
}

/// <summary>PDI's requests as labels.</summary>
internal static class PdiOperations
{
    public const string Identify = "identify";
    public const string Calculate = "calculate";
    public const string Finalize = "finalize";
    public const string Status = "status";
    public const string Token = "token";

    public static readonly IReadOnlyList<string> All = [Identify, Calculate, Finalize, Status, Token];
}

/// <summary>How a request to PDI ended.</summary>
internal static class PdiOutcomes
{
    public const string Ok = "ok";

    /// <summary>PDI works, and refused the business.</summary>
    public const string Rejected = "rejected";

    /// <summary>No clean answer, or the credentials were refused.</summary>
    public const string Failed = "failed";
}

/// <summary>The jobs as labels.</summary>
internal static class JobNames
{
    public const string ExpireSessions = "expire-sessions";
    public const string ArchiveSessions = "archive-sessions";
    public const string ClearCache = "clear-cache";
    public const string Reconciliation = "reconciliation";
    public const string DailySummary = "daily-summary";
}
