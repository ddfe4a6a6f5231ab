namespace LoyaltyService.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Arithmetic_holds() => Assert.Equal(4, 2 + 2);
}
