using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// Very many callers on very few sessions, on tables that are empty: the planner knows nothing and all rows share a page, which is the worst
/// case of serializable isolation.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class SerializationStormTests
{
    private const int Callers = 200;

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public async Task Every_call_ends_as_the_contract_says_and_the_books_agree(int sessions)
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var books = new Books(app.Database, Backend.Postgres);
        var sales = Enumerable.Range(0, sessions).Select(number => new Sale(app) { CustomerId = $"CUST-LOAD-{number}" }).ToArray();

        // From nothing on: the sessions are created in the storm itself.
        var identified = await AllAtOnceAsync((sale, _) => sale.IdentifyAsync());
        for (var number = 0; number < sessions; number++)
            sales[number] = sales[number] with { SessionId = identified.First(call => call.Sale == number && call.Answer.Status is 200).Answer.SessionId };
        var mixed = await AllAtOnceAsync((sale, caller) => (caller / sessions % 3) switch
        {
            0 => sale.IdentifyAsync(),
            1 => sale.CalculateAsync(),
            _ => sale.FinalizeAsync(),
        });
        // Whoever was refused comes again.
        foreach (var sale in sales)
            await Eventually.GetAsync(() => sale.FinalizeAsync(), answer => answer.Status is 200, "the sale is finalized");

        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", identified.Concat(mixed)
            .GroupBy(call => $"{call.Answer.Status} {(call.Answer.Status is 200 ? "" : call.Answer.Code)}".Trim()).Select(group => $"{group.Count()} × {group.Key}")));
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more");
        await books.AreClosedAsync(sessions);
        await books.AgreeWithPdiAsync(app.Pdi, sessions);

        async Task<(int Sale, Answer Answer)[]> AllAtOnceAsync(Func<Sale, int, Task<Answer>> call)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
                (caller % sessions, await call(sales[caller % sessions], caller))));
            Assert.All(answers, answer => Assert.True(IsPromised(answer.Item2), answer.Item2.ToString()));
            return answers;
        }
    }

    private static bool IsPromised(Answer answer) => answer.Status switch
    {
        200 or 202 => true,
        409 => answer.Code is "operation_in_progress" or "invalid_state" or "version_conflict",
        503 => answer.Code is "overloaded" or "database_unavailable" && answer.Headers.ContainsKey("Retry-After"),
        _ => false,
    };
}
