using System.Net.Http.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A replica whose clock is wrong. What expires, who holds a lease and when a job is due is decided by the database's clock.</summary>
public sealed class ClocksApartTests
{
    // More than a quarter of an hour, so that there is always an occurrence of the expiry between the two clocks. Half of that is what a busy
    // machine may take for the test.
    [Theory]
    [InlineData(20)]
    [InlineData(-20)]
    public async Task Expiry_leases_and_schedules_go_by_the_databases_clock(int minutes)
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        var right = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);
        var (almost, just) = (await new Sale(right).IdentifiedAsync(), await new Sale(right).IdentifiedAsync());
        await books.ExecuteAsync(ExpiresIn(almost, 10), ExpiresIn(just, -1));
        await pdi.OutageAsync();
        var (held, due) = (await WaitingAsync(right), await WaitingAsync(right));
        await right.StopAsync();
        await books.ExecuteAsync(LeaseEndsIn(held, 10), $"update pdi_work set lease_until = null, due_at = now() where {Is(due, "session_id")}");
        await pdi.HealAsync();

        await using var wrong = await ServiceProcess.StartServiceAsync(database, pdi.Address, ShiftedClock.By(TimeSpan.FromMinutes(minutes)));
        using var http = new HttpClient { BaseAddress = wrong.Address };

        // Expiry: of the sessions that are there, and of a new one.
        Assert.Equal(minutes, await MinutesAheadAsync(http), tolerance: 2);
        Assert.Equal(200, (await FinalizeAsync(http, almost)).Status);
        Assert.Equal((409, "invalid_state"), Of(await FinalizeAsync(http, just)));
        var identified = await PostAsync(http, "identify", new Sale(right).IdentifyBody());
        Assert.Equal(24 * 60, (identified.Json.GetProperty("expiresAt").GetDateTimeOffset() - TimeProvider.System.GetUtcNow()).TotalMinutes, tolerance: 2);

        // Leases: what is due is done, what is held is left alone until its lease is over. Both would have been taken at one look.
        await Eventually.BecomesTrueAsync(async () => await WaitAsync(due) == 0, "what is due is done");
        Assert.Equal(1, await books.CountAsync($"select count(*) from pdi_work where {Is(held, "session_id")} and attempts = 0"));
        await books.ExecuteAsync(LeaseEndsIn(held, -1), $"update pdi_work set due_at = now() where {Is(held, "session_id")}");
        await Eventually.BecomesTrueAsync(async () => await WaitAsync(held) == 0, "what was held is done");

        // Schedules: the occurrence that is the latest one by the database's clock.
        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync("select count(*) from job_runs where job = 'expire-sessions' and outcome = 'done'") == 1, "the expiry has run");
        Assert.Equal(1, await books.CountAsync("""
            select count(*) from job_runs
             where job = 'expire-sessions' and scheduled_for <= started_at and scheduled_for > started_at - interval '16 minutes'
            """));
        Assert.Equal(1, await books.CountAsync("select count(*) from sessions where failure_reason = 'expired'"));

        Task<long> WaitAsync(Sale sale) => books.CountAsync($"select count(*) from pdi_work where {Is(sale, "session_id")}");
    }

    [Fact]
    public async Task Two_replicas_five_minutes_apart_agree_on_expiry_leases_and_schedules()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        var right = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);
        var (almost, just) = (await new Sale(right).IdentifiedAsync(), await new Sale(right).IdentifiedAsync());
        await books.ExecuteAsync(ExpiresIn(almost, 2), ExpiresIn(just, -1));
        await pdi.OutageAsync();
        var waiting = new List<Sale> { await WaitingAsync(right), await WaitingAsync(right), await WaitingAsync(right) };
        await right.StopAsync();
        await books.ExecuteAsync("update pdi_work set lease_until = null, due_at = now()", "delete from job_runs");
        await pdi.HealAsync();

        await using var behind = await ServiceProcess.StartServiceAsync(database, pdi.Address, ShiftedClock.By(TimeSpan.FromMinutes(-2.5)));
        await using var ahead = await ServiceProcess.StartServiceAsync(database, pdi.Address, ShiftedClock.By(TimeSpan.FromMinutes(2.5)));
        using var slow = new HttpClient { BaseAddress = behind.Address };
        using var fast = new HttpClient { BaseAddress = ahead.Address };

        Assert.Equal(5, await MinutesAheadAsync(fast) - await MinutesAheadAsync(slow), tolerance: 0.5);
        Assert.Equal((409, "invalid_state"), Of(await FinalizeAsync(slow, just)));
        // Again, for a busy machine: the two starts may have taken more than that.
        await books.ExecuteAsync(ExpiresIn(almost, 2));
        Assert.Equal(200, (await FinalizeAsync(fast, almost)).Status);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "what waited is done");
        Assert.Equal(1 + waiting.Count, (await pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
        Assert.Equal(0, (await pdi.SummaryAsync()).GetProperty("doubleFinalized").GetInt32());
        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync("select count(*) from job_runs where job = 'expire-sessions' and outcome = 'done'") > 0, "the expiry has run");
        // Once by one of the two, and neither before its time nor long after it.
        Assert.Equal(0, await books.CountAsync("""
            select count(*) from job_runs
             where job = 'expire-sessions' and (fence > 1 or scheduled_for > started_at or scheduled_for <= started_at - interval '16 minutes')
            """));
        Assert.Equal(1, await books.CountAsync("select count(*) from sessions where failure_reason = 'expired'"));
    }

    private static string Is(Sale sale, string column) => $"{column} = '{sale.SessionId["sess_".Length..]}'";

    private static string ExpiresIn(Sale sale, int minutes) => $"update sessions set expires_at = now() + interval '{minutes} minutes' where {Is(sale, "id")}";

    private static string LeaseEndsIn(Sale sale, int minutes) =>
        $"update pdi_work set lease_until = now() + interval '{minutes} minutes', attempts = 0 where {Is(sale, "session_id")}";

    private static async Task<Sale> WaitingAsync(LoyaltyApp app)
    {
        var sale = await new Sale(app).IdentifiedAsync();
        Assert.Equal(202, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    private static async Task<double> MinutesAheadAsync(HttpClient http)
    {
        using var response = await http.GetAsync("/health");
        return ((await Answer.ReadAsync(response)).Json.GetProperty("timestamp").GetDateTimeOffset() - TimeProvider.System.GetUtcNow()).TotalMinutes;
    }

    private static Task<Answer> FinalizeAsync(HttpClient http, Sale sale) => PostAsync(
        http, "finalize", new { sessionId = sale.SessionId, transactionId = sale.TransactionId, finalAmount = 150.00m, applyRewards = true });

    private static async Task<Answer> PostAsync(HttpClient http, string route, object body)
    {
        using var response = await http.PostAsJsonAsync("/loyalty/" + route, body);
        return await Answer.ReadAsync(response);
    }

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);
}
