using PdiSimulator.Calls;
using PdiSimulator.Storage;

namespace PdiSimulator.Loyalty;

/// <summary>What has become of a session: the question after a finalize whose answer was lost.</summary>
internal sealed class GetSessionStatus(Ledger ledger)
{
    public Task<Answer> RunAsync(string pdiSessionId) => ledger.ReadAsync(tables =>
    {
        if (tables.Sessions.Find(pdiSessionId) is not { } session)
            return Refusals.SessionNotFound(pdiSessionId);

        // Until the session is closed its balance is the customer's, so that the figure is always a number.
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
