using Microsoft.Data.Sqlite;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

internal sealed class CustomerTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement _find = new(connection, """
        select customer_id, name, tier, points
          from customers
         where customer_id = $1
        """);

    private readonly Statement _save = new(connection, """
        insert into customers (customer_id, name, tier, points)
        values ($1, $2, $3, $4)
        on conflict (customer_id) do update
           set name = excluded.name, tier = excluded.tier, points = excluded.points
        """);

    public Customer? Find(string customerId) => _find.First(Read, customerId);

    /// <summary>Returns the customer of a session. A foreign key guarantees that it exists.</summary>
    public Customer Get(string customerId) =>
        Find(customerId) ?? throw new InvalidOperationException($"The ledger has a session for '{customerId}', but no such customer.");

    public void Save(Customer customer) =>
        _save.Run(customer.CustomerId, customer.CustomerName, customer.Tier.ToString(), customer.CurrentPoints);

    public void Dispose()
    {
        _find.Dispose();
        _save.Dispose();
    }

    private static Customer Read(SqliteDataReader row) =>
        new(row.GetString(0), row.GetString(1), Enum.Parse<Tier>(row.GetString(2)), row.GetInt64(3));
}
