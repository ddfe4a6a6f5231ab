using PdiSimulator.Calls;
using PdiSimulator.Storage;

namespace PdiSimulator.Loyalty;

/// <summary>Closes the session and moves the points. Session, balance and stored answer commit in one transaction.</summary>
internal sealed class FinalizeSession(Ledger ledger, TimeProvider clock)
{
    public async Task<Answer> RunAsync(FinalizeRequest request, string idempotencyKey)
    {
        if (!Rewards.IsAmount(request.FinalAmount))
            return Refusals.InvalidAmount("finalAmount");

        if (request.EarnedPoints < 0 || request.RedeemPoints < 0)
            return Refusals.InvalidAmount(request.EarnedPoints < 0 ? "earnedPoints" : "redeemPoints");

        return await ledger.WriteOnceAsync(
            Operation.Finalize, idempotencyKey, request, tables => Finalize(tables, request, idempotencyKey));
    }

    private Answer Finalize(LedgerTables tables, FinalizeRequest request, string idempotencyKey)
    {
        if (tables.Sessions.Find(request.PdiSessionId) is not { } session)
            return Refusals.SessionNotFound(request.PdiSessionId);

        if (session.TransactionId != request.TransactionId)
            return Refusals.TransactionMismatch();

        // A second finalize under another key stops here.
        if (!session.IsOpen)
            return Refusals.SessionClosed(session);

        var customer = tables.Customers.Get(session.CustomerId);
        var redeemed = request.ApplyRewards ? request.RedeemPoints : 0;

        if (redeemed > customer.CurrentPoints)
            return Refusals.InsufficientPoints(redeemed, customer.CurrentPoints);

        // PDI's figure is authoritative; the caller's is only recorded.
        var earned = request.ApplyRewards ? Rewards.For(request.FinalAmount, customer.Tier).EarnedPoints : 0;
        var newBalance = customer.CurrentPoints + earned - redeemed;
        var now = clock.GetUtcNow();

        var number = tables.Finalizes.Add(new CommittedFinalize(
            session.PdiSessionId, idempotencyKey, request.FinalAmount, request.EarnedPoints, earned, redeemed, now));
        var receiptId = $"RCP-{now.Year}-{number:000}";

        tables.Customers.Save(customer with { CurrentPoints = newBalance });
        tables.Sessions.Close(session with
        {
            Status = Session.Finalized,
            FinalizedAt = now,
            FinalAmount = request.FinalAmount,
            EarnedPoints = earned,
            RedeemedPoints = redeemed,
            NewBalance = newBalance,
            ReceiptId = receiptId,
        });

        return Answer.Json(new FinalizeResponse(session.PdiSessionId, receiptId, earned, redeemed, newBalance));
    }
}
