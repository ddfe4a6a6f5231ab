using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>A till's sale: valid defaults and a unique transaction.</summary>
internal sealed record Sale(LoyaltyApp App)
{
    public string TransactionId { get; init; } = "TXN-" + Guid.NewGuid().ToString("N");

    public string CustomerId { get; init; } = "CUST-12345";

    public string SessionId { get; init; } = "";

    public (string, string)[] Headers { get; init; } = [];

    public Task<Answer> IdentifyAsync() => App.PostAsync("/loyalty/identify", IdentifyBody(), Headers);

    public object IdentifyBody() => new { customerId = CustomerId, channelId = "POS-001", transactionId = TransactionId };

    public async Task<Sale> IdentifiedAsync()
    {
        var answer = await IdentifyAsync();
        Assert.True(answer.Status is 200 or 202, answer.Text);
        return this with { SessionId = answer.SessionId };
    }

    public Task<Answer> CalculateAsync(decimal amount = 150.00m, long? redeemPoints = null) => App.PostAsync("/loyalty/calculate-rewards", new
    {
        sessionId = SessionId,
        transactionAmount = amount,
        items = new[] { new { sku = "SKU-001", qty = 2 } },
        redeemPoints = redeemPoints ?? 0,
    }, Headers);

    public Task<Answer> FinalizeAsync(decimal amount = 150.00m, bool applyRewards = true, long redeemPoints = 0) =>
        App.PostAsync("/loyalty/finalize", new { sessionId = SessionId, transactionId = TransactionId, finalAmount = amount, applyRewards, redeemPoints }, Headers);

    public Task<Answer> StatusAsync() => App.GetAsync($"/loyalty/sessions/{SessionId}", Headers);
}
