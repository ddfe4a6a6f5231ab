using PdiSimulator.Calls;
using PdiSimulator.Storage;

namespace PdiSimulator.Loyalty;

/// <summary>Estimates what a sale earns and the discount that points give. Changes nothing.</summary>
internal sealed class CalculateRewards(Ledger ledger)
{
    public async Task<Answer> RunAsync(CalculateRewardsRequest request)
    {
        if (!Rewards.IsAmount(request.TransactionAmount))
            return Refusals.InvalidAmount("transactionAmount");

        if (request.RedeemPoints < 0)
            return Refusals.InvalidAmount("redeemPoints");

        return await ledger.ReadAsync(tables => Calculate(tables, request));
    }

    private static Answer Calculate(LedgerTables tables, CalculateRewardsRequest request)
    {
        if (tables.Sessions.Find(request.PdiSessionId) is not { } session)
            return Refusals.SessionNotFound(request.PdiSessionId);

        if (!session.IsOpen)
            return Refusals.SessionClosed(session);

        var customer = tables.Customers.Get(session.CustomerId);

        if (request.RedeemPoints > customer.CurrentPoints)
            return Refusals.InsufficientPoints(request.RedeemPoints.Value, customer.CurrentPoints);

        var rewards = Rewards.For(request.TransactionAmount, customer.Tier);
        var answer = new CalculateRewardsResponse(
            session.PdiSessionId, rewards.BasePoints, rewards.TierBonus, rewards.TierBonus, rewards.EarnedPoints, rewards.Multiplier);

        if (request.RedeemPoints is not { } asked)
            return Answer.Json(answer);

        // The discount never exceeds the sale.
        var redeemable = Rewards.Redeemable(request.TransactionAmount, customer.CurrentPoints);
        return Answer.Json(answer with { RedeemablePoints = redeemable, Discount = Rewards.Discount(Math.Min(asked, redeemable)) });
    }
}
