using PdiSimulator.Calls;
using PdiSimulator.Storage;

namespace PdiSimulator.Loyalty;

/// <summary>Returns the state of a session, for callers that lost the answer to finalize.</summary>
internal sealed class GetSessionStatus(Ledger ledger)
{
    public Task<Answer> RunAsync(string pdiSessionId) => ledger.ReadAsync(tables =>
    {
        if (tables.Sessions.Find(pdiSessionId) is not { } session)
            return Refusals.SessionNotFound(pdiSessionId);

        // An open session shows the customer's balance, so the member is never null.
        var balance = session.NewBalance ?? tables.Customers.Get(session.CustomerId).CurrentPoints;

        return Answer.Json(new SessionStatusResponse(
            session.PdiSessionId,
            session.Status,
            session.EarnedPoints,
            session.RedeemedPoints,
            balance,
            session.ReceiptId,
            session.FinalizedAt));
    });
}
