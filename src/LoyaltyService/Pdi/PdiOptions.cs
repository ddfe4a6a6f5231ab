namespace LoyaltyService.Pdi;

/// <summary>The limits of every call to PDI. A budget covers the whole operation: retries, pauses and the body.</summary>
internal sealed class PdiOptions
{
    /// <summary>brief: 5 s.</summary>
    public TimeSpan IdentifyBudget { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>brief: 8 s.</summary>
    public TimeSpan CalculateBudget { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>brief: 10 s.</summary>
    public TimeSpan FinalizeBudget { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>brief: 3 s.</summary>
    public TimeSpan StatusBudget { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>brief: up to three retries. With full jitter below 0.2, 0.4 and 0.8 s, all pauses together are at most 1.4 s.</summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>The upper bound of the first pause between two attempts; it doubles.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>brief: five failures in a row open the breaker.</summary>
    public int BreakerFailureThreshold { get; init; } = 5;

    /// <summary>brief: open for 30 s.</summary>
    public TimeSpan BreakerOpenTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one probe excludes others: the longest budget (10 s) and 1 s to finish.</summary>
    public TimeSpan BreakerProbeLease { get; init; } = TimeSpan.FromSeconds(11);

    /// <summary>brief: a token is used for at most 55 minutes.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(55);

    /// <summary>brief: renewed in the background in its last 5 minutes.</summary>
    public TimeSpan TokenRenewalLead { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>brief: at most 3 tries before giving up.</summary>
    public int TokenTries { get; init; } = 3;

    /// <summary>
    /// One token request. Three of 1.2 s and two pauses of at most 0.2 s and 0.4 s take 4.2 s: less than identify's 5 s.
    /// </summary>
    public TimeSpan TokenTryTimeout { get; init; } = TimeSpan.FromSeconds(1.2);

    /// <summary>The upper bound of the first pause between two tries for a token; it doubles.</summary>
    public TimeSpan TokenFirstBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>To connect to PDI; within one region it takes milliseconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>PDI's responses are a few hundred bytes. A larger one is treated as broken.</summary>
    public int MaxAnswerBytes { get; init; } = 64 * 1024;
}
