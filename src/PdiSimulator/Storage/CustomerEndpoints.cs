using PdiSimulator.Calls;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>Reads, creates and changes customers.</summary>
internal static class CustomerEndpoints
{
    public static void MapCustomers(this IEndpointRouteBuilder control)
    {
        control.MapGet("/customers/{customerId}", FindAsync);
        control.MapPut("/customers/{customerId}", SaveAsync);
    }

    private static async Task<Answer> FindAsync(string customerId, Ledger ledger) =>
        await ledger.ReadAsync(tables => tables.Customers.Find(customerId) ?? LoadCustomers.Find(customerId)) is { } customer
            ? Answer.Json(customer)
            : Refusals.UnknownCustomer(customerId);

    private static async Task<Answer> SaveAsync(string customerId, HttpRequest request, Ledger ledger)
    {
        var (change, mistake) = await SimulatorJson.ReadAsync<CustomerChange>(request);

        if (change is null)
            return Answer.InvalidRequest(mistake);

        if (change.CurrentPoints < 0)
            return Refusals.InvalidAmount("currentPoints");

        return await ledger.WriteAsync(tables =>
        {
            var customer = change.ApplyTo(tables.Customers.Find(customerId) ?? LoadCustomers.Find(customerId) ?? NewCustomer(customerId));
            tables.Customers.Save(customer);
            return Answer.Json(customer);
        });
    }

    private static Customer NewCustomer(string customerId) => new(customerId, "Test Customer", Tier.Bronze, CurrentPoints: 0);
}

/// <summary>Omitted members keep their value, or the default of a new customer.</summary>
internal sealed record CustomerChange(string? CustomerName = null, Tier? Tier = null, long? CurrentPoints = null)
{
    public Customer ApplyTo(Customer customer) => customer with
    {
        CustomerName = CustomerName ?? customer.CustomerName,
        Tier = Tier ?? customer.Tier,
        CurrentPoints = CurrentPoints ?? customer.CurrentPoints,
    };
}
