using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>Valid defaults, so that a test states only the values it is about.</summary>
internal static class Given
{
    public static Session Session()
    {
        var transaction = "TXN-" + Guid.NewGuid().ToString("N");
        return new Session
        {
            Id = SessionId.New(),
            SaleKey = Fingerprint.OfSale("till", "POS-001", transaction),
            Client = "till",
            ChannelId = "POS-001",
            TransactionId = transaction,
            CustomerId = "CUST-12345",
            IdentifyFingerprint = Guid.NewGuid(),
        };
    }

    public static PdiIdentity Identity() => new("pdi-" + Guid.NewGuid().ToString("N"), "CUST-12345", "John Doe", 5000, "Gold");

    public static FinalizeIntent Intent() => new(Guid.NewGuid(), Guid.NewGuid(), 150.00m, ApplyRewards: true, RedeemPoints: 0);

    public static PdiReceipt Receipt() => new("pdi-1", "RCP-2025-001", EarnedPoints: 450, RedeemedPoints: 0, NewBalance: 5450);
}
