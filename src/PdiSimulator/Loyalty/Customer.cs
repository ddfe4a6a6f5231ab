namespace PdiSimulator.Loyalty;

internal sealed record Customer(string CustomerId, string CustomerName, Tier Tier, long CurrentPoints);
