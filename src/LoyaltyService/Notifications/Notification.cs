namespace LoyaltyService.Notifications;

/// <summary>A message to the operators, sent once.</summary>
/// <param name="Key">Identifies the event. If several replicas report it, the first one counts.</param>
/// <param name="Subject">One line.</param>
/// <param name="DueAt">The earliest time to send it; null is now.</param>
internal sealed record Notification(string Key, string Subject, string Text, string? Html = null, DateTimeOffset? DueAt = null);

/// <summary>A notification, claimed by its sender.</summary>
/// <param name="Id">The same for every attempt.</param>
/// <param name="Attempts">Includes this one, and so identifies the claim.</param>
/// <param name="Age">Time since it was first due.</param>
internal sealed record OutgoingMail(Guid Id, string Key, string Subject, string Text, string? Html, int Attempts, TimeSpan Age)
{
    // No other key contains it.
    private const string Only = ", only to ";

    /// <summary>The only recipient; null if the mail is for all.</summary>
    public string? OnlyTo => Key.LastIndexOf(Only, StringComparison.Ordinal) is var at and >= 0 ? Key[(at + Only.Length)..] : null;

    /// <summary>The same mail for a recipient that was rejected for now.</summary>
    public Notification For(string address) => new($"{Key}{Only}{address}", Subject, Text, Html);
}

/// <summary>A value noted at a start.</summary>
/// <param name="NotedAt">When it was noted; distinguishes it from an equal value of another time.</param>
internal sealed record KnownValue(string Value, DateTimeOffset NotedAt);
