using PdiSimulator.Calls;
using PdiSimulator.Storage;

namespace PdiSimulator.Loyalty;

/// <summary>Finds the customer and opens a session for the sale.</summary>
internal sealed class IdentifyCustomer(Ledger ledger, TimeProvider clock)
{
    public Task<Answer> RunAsync(IdentifyRequest request, string idempotencyKey) =>
        ledger.WriteOnceAsync(Operation.Identify, idempotencyKey, request, tables => Identify(tables, request));

    private Answer Identify(LedgerTables tables, IdentifyRequest request)
    {
        if (FindOrCreate(tables, request.CustomerId) is not { } customer)
            return Refusals.UnknownCustomer(request.CustomerId);

        var now = clock.GetUtcNow();

        // A version 7 UUID starts with the time, so new sessions append to the index.
        var session = new Session(
            $"pdi_{Guid.CreateVersion7(now):N}",
            customer.CustomerId,
            request.ChannelId,
            request.TransactionId,
            request.StoreId,
            Session.Open,
            now);
        tables.Sessions.Open(session);

        return Answer.Json(new IdentifyResponse(
            session.PdiSessionId, customer.CustomerId, customer.CustomerName, customer.CurrentPoints, customer.Tier));
    }

    private static Customer? FindOrCreate(LedgerTables tables, string customerId)
    {
        if (tables.Customers.Find(customerId) is { } known)
            return known;

        if (LoadCustomers.Find(customerId) is not { } implied)
            return null;

        tables.Customers.Save(implied);
        return implied;
    }
}
