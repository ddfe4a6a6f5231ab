namespace LoyaltyService.Notifications;

/// <summary>Something that operators shall hear of, once.</summary>
/// <param name="Key">What it tells of: of those who find the same thing out, the first one counts.</param>
/// <param name="Subject">One line.</param>
/// <param name="DueAt">Not before that time; null is now.</param>
internal sealed record Notification(string Key, string Subject, string Text, string? Html = null, DateTimeOffset? DueAt = null);

/// <summary>A notification in the hands of who sends it.</summary>
/// <param name="Id">The mail's own, the same at every attempt.</param>
/// <param name="Attempts">This one included; also says whose turn it is.</param>
/// <param name="Age">Since it was due.</param>
internal sealed record OutgoingMail(Guid Id, string Key, string Subject, string Text, string? Html, int Attempts, TimeSpan Age)
{
    // No other key has it.
    private const string Only = ", only to ";

    /// <summary>The one who has not got it yet; null if it is for all.</summary>
    public string? OnlyTo => Key.LastIndexOf(Only, StringComparison.Ordinal) is var at and >= 0 ? Key[(at + Only.Length)..] : null;

    /// <summary>The same for one who could not get it with the others.</summary>
    public Notification For(string address) => new($"{Key}{Only}{address}", Subject, Text, Html);
}

/// <summary>What the last start found.</summary>
/// <param name="NotedAt">Since when it is so: names this state among others with the same value.</param>
internal sealed record KnownValue(string Value, DateTimeOffset NotedAt);
