using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Jobs;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Notifications;
using LoyaltyService.Pdi;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Notifications;

/// <summary>The daily summary as its recipients see it.</summary>
public abstract class DailySummaryTests(Backend backend) : IAsyncLifetime
{
    private readonly MailServer server = new();
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync()
    {
        await server.StartAsync();
        app = await LoyaltyApp.StartAsync(backend, server.Variables(), services: services => services
            .AddSingleton(new PdiOptions { MaxRetries = 4, BreakerOpenTime = TimeSpan.FromSeconds(2), FirstBackoff = TimeSpan.FromMilliseconds(1) })
            .AddSingleton(new JobLimits { BySchedule = false, BatchSize = 2 })
            .AddSingleton(new NotificationLimits { Poll = TimeSpan.FromMilliseconds(50), LookEvery = TimeSpan.FromMilliseconds(20), WriteEvery = TimeSpan.Zero }));
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_summary_is_sent_as_text_and_HTML()
    {
        // Three finalized (one of them archived), one rejected, one expired, one open, and one from today.
        for (var number = 0; number < 3; number++)
            await SoldAsync();
        await new Sale(app) { CustomerId = "CUST-NOBODY" }.IdentifyAsync();
        await new Sale(app).IdentifiedAsync();
        await app.ExecuteAsync("update sessions set status = 'failed', failure_reason = 'expired', failed_at = created_at where status = 'active'");
        await new Sale(app).IdentifiedAsync();
        await YesterdayAsync("sessions", "created_at", "expires_at", "finalized_at", "failed_at");
        await app.ExecuteAsync("update sessions set redeemed_points = 25, finalized_at = created_at where status = 'finalized'");
        await ArchiveOneAsync();
        await SoldAsync();
        await CountedYesterdayAsync();
        await app.RunJobAsync("reconciliation");

        Assert.Equal(1, await app.RunJobAsync("daily-summary"));
        var mail = await server.GetsAsync("daily summary");

        var day = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-1);
        Assert.Equal($"loyalty-service (Test): daily summary {day:yyyy-MM-dd}", mail.Subject);
        Assert.Equal(("loyalty@example.com", "ops@example.com on-call@example.com"), (mail.Message.From.Mailboxes.Single().Address, string.Join(' ', mail.Message.To.Mailboxes.Select(to => to.Address))));
        Assert.Equal("auto-generated", mail.Message.Headers["Auto-Submitted"]);
        (string, string)[] expected =
        [
            ("Sessions created", "6"), ("… still open", "1"), ("Sessions finalized", "3"), ("Sessions failed, expired", "1"),
            ("Sessions failed, pdi_rejected", "1"), ("Points earned", "1,350"), ("Points redeemed", "75"), ("Calls from tills", "1,000"),
            ("… with a 5xx response", "5 (0.50 %)"), ("PDI available", "99.50 % of the time"), ("Requests to PDI", "400"),
            ("… failed", "2 (0.50 %)"), ("Waiting for PDI", "0"), ("Waiting for an operator", "0"),
            ("Compared with PDI's records", "3, of which 2 differ"), ("Open findings", "2"),
        ];
        Assert.Equal(expected, mail.Text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 32).Skip(1).Select(line => (line[..32].TrimEnd(), line[32..])));
        Assert.All(expected, row => Assert.Contains($">{System.Net.WebUtility.HtmlEncode(row.Item1)}</th><td align=\"right\">{row.Item2}</td>", mail.Html, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_occurrence_is_mailed_once_and_a_manual_run_mails_again()
    {
        var runner = app.Services.GetRequiredService<JobRunner>();
        var job = runner.Jobs.Single(job => job.Name == "daily-summary");
        for (var time = 0; time < 2; time++)
        {
            var row = await runner.ClaimDueAsync(job, CancellationToken.None);
            Assert.True(await runner.RunAsync(job, row!, CancellationToken.None));
            // As if the end of the run had been lost.
            await app.ExecuteAsync("delete from job_runs");
        }

        await app.RunJobAsync("daily-summary");

        await Eventually.BecomesTrueAsync(() => Task.FromResult(Summaries() >= 2), "both mails have come");
        Assert.Null(await app.Services.GetRequiredService<INotificationStore>().ClaimAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal(2, Summaries());
    }

    [Fact]
    public async Task Each_missed_day_of_the_last_week_gets_one_mail()
    {
        var runner = app.Services.GetRequiredService<JobRunner>();
        var job = runner.Jobs.Single(job => job.Name == "daily-summary");
        var last = DateOnly.MinValue;
        // The first run, one after three days, and one after a month.
        foreach (var (since, told) in new[] { (0, 1), (3, 3), (30, 7) })
        {
            await app.ExecuteAsync($"update job_runs set scheduled_for = scheduled_for - {(backend is Backend.Sqlite ? $"{since} * 86400000" : $"interval '{since} days'")}");
            var row = (await runner.ClaimDueAsync(job, CancellationToken.None))!;
            last = DateOnly.FromDateTime(row.ScheduledFor.UtcDateTime).AddDays(-1);
            Assert.True(await runner.RunAsync(job, row, CancellationToken.None));
            Assert.Equal(told, (await app.Services.GetRequiredService<IJobRunStore>().LatestAsync(job.Name, 1, CancellationToken.None))[0].Handled);
        }

        await Eventually.BecomesTrueAsync(() => Task.FromResult(Summaries() >= 7), "the mails have come");
        Assert.Null(await app.Services.GetRequiredService<INotificationStore>().ClaimAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal(
            Enumerable.Range(0, 7).Select(back => $"loyalty-service (Test): daily summary {last.AddDays(-back):yyyy-MM-dd}").Order(),
            server.Mails().Select(mail => mail.Subject).Where(subject => subject.Contains("daily summary", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task Answers_to_tills_and_from_PDI_are_counted_in_the_database()
    {
        await SoldAsync();
        await app.GetAsync("/health");

        var summaries = app.Services.GetRequiredService<ISummaryStore>();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        var record = await Eventually.GetAsync(
            () => summaries.ReadAsync(today, CancellationToken.None),
            read => read.Counts.GetValueOrDefault("calls") == 2 && read.Counts.GetValueOrDefault("pdi_watched_ms") > 0, "the counts are written");

        // A token, an identify and a finalize.
        Assert.Equal((3, false, false), (record.Counts["pdi_requests"], record.Counts.ContainsKey("calls_failed"), record.Counts.ContainsKey("pdi_away_ms")));
    }

    [Fact]
    public async Task Failures_are_counted_and_downtime_is_the_time_the_breaker_is_open()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.OutageAsync();
        // Five unanswered requests, and a till that cannot redeem. The fifth request opens the breaker.
        Assert.Equal(503, (await sale.CalculateAsync(redeemPoints: 1)).Status);
        await CountsAsync(counts => counts.GetValueOrDefault("pdi_away_ms") > 0 && counts.GetValueOrDefault("calls_failed") == 1, "PDI is away");

        // The probe is due, but no call comes.
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(app.Services.GetRequiredService<PdiHealth>().Breaker is BreakerState.HalfOpen), "the breaker waits for a probe");
        // What a look still has to write of the time before that is written first.
        var due = await CountsAsync(static _ => true, "the counts are read");
        var idle = await CountsAsync(counts => counts["pdi_watched_ms"] >= due["pdi_watched_ms"] + 500, "time goes by");
        var later = await CountsAsync(counts => counts["pdi_watched_ms"] >= idle["pdi_watched_ms"] + 500, "more time goes by");

        Assert.Equal(5, later["pdi_requests_failed"]);
        Assert.Equal(idle["pdi_away_ms"], later["pdi_away_ms"]);
        // The 2 s, and however late a busy machine looks.
        Assert.InRange(later["pdi_away_ms"], 1, 10_000);
    }

    private async Task<IReadOnlyDictionary<string, long>> CountsAsync(Func<IReadOnlyDictionary<string, long>, bool> isSo, string what)
    {
        var summaries = app.Services.GetRequiredService<ISummaryStore>();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        return await Eventually.GetAsync(
            async () => (IReadOnlyDictionary<string, long>)(await summaries.ReadAsync(today, CancellationToken.None)).Counts, isSo, what);
    }

    private async Task SoldAsync()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
    }

    private int Summaries() => server.Mails().Count(mail => mail.Subject.Contains("daily summary", StringComparison.Ordinal));

    private Task YesterdayAsync(string table, params string[] columns)
    {
        var day = backend is Backend.Sqlite ? "86400000" : "interval '1 day'";
        return app.ExecuteAsync($"update {table} set {string.Join(", ", columns.Select(column => $"{column} = {column} - {day}"))}");
    }

    private async Task ArchiveOneAsync()
    {
        var columns = "id, sale_key, client, channel_id, transaction_id, customer_id, identify_fingerprint, created_at, expires_at, status, version, current_points, earned_points, redeemed_points, finalized_at, new_balance, receipt_id, finalize_key, finalize_fingerprint, final_amount, apply_rewards, redeem_points";
        await app.ExecuteAsync($"insert into sessions_archive (archived_at, {columns}) select created_at, {columns} from sessions where status = 'finalized' limit 1");
        await app.ExecuteAsync("delete from sessions where id in (select id from sessions_archive)");
    }

    private async Task CountedYesterdayAsync()
    {
        var yesterday = backend is Backend.Sqlite ? "date('now', '-1 day')" : "(now() at time zone 'utc')::date - 1";
        (string, int)[] counts = [("calls", 1000), ("calls_failed", 5), ("pdi_requests", 400), ("pdi_requests_failed", 2), ("pdi_watched_ms", 200_000), ("pdi_away_ms", 1000)];
        foreach (var (name, count) in counts)
            await app.ExecuteAsync($"insert into daily_counts (day, name, count) values ({yesterday}, '{name}', {count})");
    }
}

public sealed class DailySummaryOnPostgresTests() : DailySummaryTests(Backend.Postgres);

public sealed class DailySummaryOnSqliteTests() : DailySummaryTests(Backend.Sqlite);
