using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Sessions;

/// <summary>Sessions in every status, as a store would return them.</summary>
internal static class GivenSession
{
    public static readonly PdiIdentity Identity = new("pdi-1", "C-1", "John Doe", 1200, "Gold");

    public static readonly FinalizeIntent Intent = new(
        Guid.Parse("11111111-1111-1111-1111-111111111111"), Guid.Parse("22222222-2222-2222-2222-222222222222"), 150.00m, true, 100);

    public static Session Pending() => new()
    {
        Id = Guid.Parse("01234567-89ab-cdef-0123-456789abcdef"),
        SaleKey = Guid.Parse("33333333-3333-3333-3333-333333333333"),
        Client = "till",
        ChannelId = "POS-1",
        TransactionId = "T-1",
        CustomerId = "C-1",
        IdentifyFingerprint = Guid.Parse("44444444-4444-4444-4444-444444444444"),
        CreatedAt = DateTimeOffset.UnixEpoch,
        ExpiresAt = DateTimeOffset.UnixEpoch.AddHours(24),
    };

    public static Session Active() => Pending() with
    {
        Status = SessionStatus.Active,
        Version = 2,
        PdiSessionId = Identity.PdiSessionId,
        CustomerName = Identity.CustomerName,
        CurrentPoints = Identity.CurrentPoints,
        Tier = Identity.Tier,
        IdentifiedVersion = 2,
    };

    public static Session PendingFinalization() => Active() with
    {
        Status = SessionStatus.PendingFinalization,
        Version = 3,
        EarnedPoints = 450,
        RewardSource = "pdi",
    };

    public static Session Finalizing() => PendingFinalization() with { Status = SessionStatus.Finalizing, Version = 4, Intent = Intent };

    public static Session Finalized() => Finalizing() with
    {
        Status = SessionStatus.Finalized,
        Version = 5,
        RedeemedPoints = 100,
        NewBalance = 1550,
        ReceiptId = "R-1",
        FinalizedAt = DateTimeOffset.UnixEpoch.AddHours(1),
    };

    public static Session Failed() => Pending() with
    {
        Status = SessionStatus.Failed,
        Version = 2,
        Failure = new SessionFailure(SessionFailure.Expired, null, null),
    };
}
