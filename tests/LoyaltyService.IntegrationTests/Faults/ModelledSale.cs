using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A sale at the real service, and beside it the model; each call is held to what the model says.</summary>
internal sealed class ModelledSale(Sale sale)
{
    private const long TooMuch = 99_999_999;
    private static readonly string UnknownSession = "sess_" + Guid.NewGuid().ToString("N");

    private Sale sale = sale with { SessionId = UnknownSession };
    private string? identified;
    private string? receipt;

    public SaleModel Model { get; } = new();

    /// <summary>The service has been restarted.</summary>
    public void Continue(LoyaltyApp restarted) => sale = sale with { App = restarted };

    public async Task IdentifyAsync(string customer, bool pdiAnswers)
    {
        var answer = await (sale with { CustomerId = customer }).IdentifyAsync();

        Check(Model.Identify(customer, pdiAnswers), answer);
        // A customer whom PDI refuses has a session too.
        if (answer.Json.TryGetProperty("sessionId", out var session))
            sale = sale with { SessionId = session.GetString()! };
        if (answer.Status is 200)
        {
            // To the last member but one: the test itself changes when a session expires.
            var text = answer.Text[..answer.Text.IndexOf("expiresAt", StringComparison.Ordinal)];
            Assert.Equal(identified ??= text, text);
        }

        await StandsAsExpectedAsync();
    }

    public async Task CalculateAsync(decimal amount, bool pdiAnswers)
    {
        var answer = await sale.CalculateAsync(amount);

        Check(Model.Calculate(amount, pdiAnswers), answer);
        await StandsAsExpectedAsync();
    }

    public async Task FinalizeAsync(SaleFinalize body, bool pdiAnswers, bool pdiIsReached)
    {
        var sent = body.OtherTransaction ? sale with { TransactionId = "TXN-OTHER" } : sale;
        var answer = await sent.FinalizeAsync(body.Amount, body.ApplyRewards, body.RedeemsTooMuch ? TooMuch : 0);

        Check(Model.Finalize(body, pdiAnswers, pdiIsReached), answer);
        if (answer.Status is 200)
            Assert.Equal(receipt ??= answer.Text, answer.Text);
        await StandsAsExpectedAsync();
    }

    /// <summary>The session itself is as the model has it.</summary>
    public async Task StandsAsExpectedAsync()
    {
        if (sale.SessionId == UnknownSession)
            return;
        var status = (await sale.StatusAsync()).Json;
        Assert.Equal(
            (Model.Status, Model.Version, Model.Earned, Model.Failure),
            (status.GetProperty("status").GetString(), status.GetProperty("version").GetInt32(), status.GetProperty("earnedPoints").GetInt64(),
                status.TryGetProperty("failure", out var failure) ? failure.GetProperty("reason").GetString() : null));
    }

    private static void Check(Expected expected, Answer answer)
    {
        var seen = new Expected(answer.Status)
        {
            Code = answer.Status >= 400 ? answer.Code : null,
            IsReplay = answer.IsReplay,
            Status = expected.Status is null ? null : answer.Json.GetProperty("status").GetString(),
            Version = expected.Version is null ? null : answer.Version,
            Earned = expected.Earned is null ? null : answer.Json.GetProperty("earnedPoints").GetInt64(),
            Source = expected.Source is null ? null : answer.Json.GetProperty("source").GetString(),
        };
        Assert.True(expected == seen, $"Expected {expected}, and was answered {answer}");
    }
}
