namespace LoyaltyService.Notifications;

/// <summary>Limits of mails and the daily summary.</summary>
internal sealed class NotificationLimits
{
    /// <summary>How often a replica polls for due mails. Mails are not urgent to the second.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Timeout of one attempt, from the connection until the server accepts the mail …</summary>
    public TimeSpan SendTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>… and the lease of the mail meanwhile.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>The backoff after a failed attempt doubles from here …</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>… up to here, so that a mail is sent soon after its server is back.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>After a week the mail is of no use, and there was time to repair the mail server.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many days of missed summaries are sent later: as many as a mail waits for its server.</summary>
    public int SummaryDaysBack { get; init; } = 7;

    /// <summary>How long sent mails and daily counts are kept.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How often a replica samples PDI's availability: gives three digits for a day.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a replica adds its counts to the daily counts. A killed replica loses this much.</summary>
    public TimeSpan WriteEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long before a maintenance window its reminder is due.</summary>
    public TimeSpan RemindBefore { get; init; } = TimeSpan.FromHours(1);
}
