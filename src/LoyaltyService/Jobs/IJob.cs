namespace LoyaltyService.Jobs;

/// <summary>A job's work and schedule. <see cref="JobRunner"/> runs it once for all replicas, and takes it over if its replica dies.</summary>
internal interface IJob
{
    /// <summary>The name operators use: <c>expire-sessions</c>.</summary>
    string Name { get; }

    /// <summary>A cron expression of five fields, in UTC.</summary>
    string Schedule { get; }

    /// <summary>
    /// Works in batches and reports each with <see cref="JobRun.ReportAsync"/>. May run again from the last report, so repeating a batch must not count
    /// twice.
    /// </summary>
    Task RunAsync(JobRun run, CancellationToken cancellationToken);
}

/// <summary>Another replica has taken the run over, because this one was away for longer than its lease. It must stop.</summary>
internal sealed class JobTakenOverException() : Exception("The run was taken over by another replica.");
