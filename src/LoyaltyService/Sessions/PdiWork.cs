namespace LoyaltyService.Sessions;

/// <summary>The bounds of <c>pdi_work</c>: sessions that PDI still owes something.</summary>
internal static class PdiWork
{
    /// <summary>
    /// How long a row belongs to the request that wrote it before anybody else may act on it: finalize's budget at PDI (brief: 10 s)
    /// plus 2 s to store the answer.
    /// </summary>
    public static readonly TimeSpan OwnedByRequest = TimeSpan.FromSeconds(12);
}
