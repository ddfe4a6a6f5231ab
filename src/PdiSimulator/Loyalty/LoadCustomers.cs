using System.Text;

namespace PdiSimulator.Loyalty;

/// <summary>Customers for load tests: every id that starts with <c>CUST-LOAD-</c> exists without being created.</summary>
internal static class LoadCustomers
{
    private const string Prefix = "CUST-LOAD-";
    private const long InitialPoints = 1000;

    public static Customer? Find(string customerId) =>
        customerId.StartsWith(Prefix, StringComparison.Ordinal)
            ? new Customer(customerId, "Load Customer", TierOf(customerId), InitialPoints)
            : null;

    private static Tier TierOf(string customerId) => (StableHash(customerId) % 4) switch
    {
        0 => Tier.Bronze,
        1 => Tier.Silver,
        2 => Tier.Gold,
        _ => Tier.Platinum,
    };

    // FNV-1a: a customer must keep its tier, and string.GetHashCode differs between runs.
    private static uint StableHash(string text)
    {
        var hash = 2166136261;

        foreach (var octet in Encoding.UTF8.GetBytes(text))
            hash = unchecked((hash ^ octet) * 16777619);

        return hash;
    }
}
