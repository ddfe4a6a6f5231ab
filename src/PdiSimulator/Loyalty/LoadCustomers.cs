using System.Text;

namespace PdiSimulator.Loyalty;

/// <summary>Customers nobody has to create: every id that begins with <c>CUST-LOAD-</c> is one, so that a load test has millions.</summary>
internal static class LoadCustomers
{
    private const string Prefix = "CUST-LOAD-";
    private const long InitialPoints = 1000;

    public static Customer? Find(string customerId) =>
        customerId.StartsWith(Prefix, StringComparison.Ordinal)
            ? new Customer(customerId, "Load Customer", (Tier)(StableHash(customerId) % 4), InitialPoints)
            : null;

    // FNV-1a: string.GetHashCode differs from run to run, and a customer must keep its tier.
    private static uint StableHash(string text)
    {
        var hash = 2166136261;

        foreach (var octet in Encoding.UTF8.GetBytes(text))
            hash = unchecked((hash ^ octet) * 16777619);

        return hash;
    }
}
