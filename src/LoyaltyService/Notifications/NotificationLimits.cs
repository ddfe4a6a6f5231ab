namespace LoyaltyService.Notifications;

/// <summary>The bounds of what operators are told.</summary>
internal sealed class NotificationLimits
{
    /// <summary>How often a replica looks whether a mail is due; nobody waits for it by the second.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What one attempt may take, from the connection to the server's yes …</summary>
    public TimeSpan SendTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>… and how long the mail belongs to who tries.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>The pause after a failed attempt doubles from here …</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>… up to here, so that a mail is sent soon after its server is back.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>After a week nobody needs the mail any more, and whoever cares for the mail server has had time.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many days back a missed summary is made up for: as long as a mail waits for its server.</summary>
    public int SummaryDaysBack { get; init; } = 7;

    /// <summary>How long sent mails and the days' counts are kept.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How often a replica looks whether PDI can be used: to three digits of a day's availability.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a replica adds what it has counted to the day's counts: what is lost when it is killed.</summary>
    public TimeSpan WriteEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long before a maintenance window its reminder goes out.</summary>
    public TimeSpan RemindBefore { get; init; } = TimeSpan.FromHours(1);
}
