namespace LoyaltyService.Jobs;

/// <summary>What to do and when; <see cref="JobRunner"/> owns how: once over all replicas, taken over if its replica dies.</summary>
internal interface IJob
{
    /// <summary>As operators write it: <c>expire-sessions</c>.</summary>
    string Name { get; }

    /// <summary>A cron expression of five fields, in UTC.</summary>
    string Schedule { get; }

    /// <summary>
    /// Works in batches and reports each with <see cref="JobRun.ReportAsync"/>. May be run again from the last report on, so what a batch
    /// did must not count twice if it is done twice.
    /// </summary>
    Task RunAsync(JobRun run, CancellationToken cancellationToken);
}

/// <summary>Another replica has taken the run over: this one was away for longer than its lease, and must not go on.</summary>
internal sealed class JobTakenOverException() : Exception("The run was taken over by another replica.");
