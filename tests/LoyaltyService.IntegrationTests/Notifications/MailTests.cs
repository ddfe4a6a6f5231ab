using System.Net;
using System.Net.Sockets;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Notifications;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Notifications;

/// <summary>Notifications by mail, with working and failing mail servers.</summary>
public sealed class MailTests : IAsyncLifetime
{
    private static readonly NotificationLimits Eager = new()
    {
        Poll = TimeSpan.FromMilliseconds(50),
        FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromMilliseconds(200),
    };

    private readonly MailServer server = new();
    private TestDatabase database = null!;
    private Simulator pdi = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(Backend.Postgres);
        pdi = await Simulator.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await pdi.DisposeAsync();
        await database.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_mail_survives_a_kill_and_is_sent_encrypted_and_authenticated()
    {
        var variables = server.Variables($"smtp://loyalty:p%40ss%2Fword@localhost:{server.Port}");
        variables["SSL_CERT_FILE"] = server.Certificate;
        variables["LOG_LEVEL"] = "info";
        await using (var first = await ServiceProcess.StartServiceAsync(database, pdi.Address, variables))
        {
            await first.LogsAsync("MailNotSent");
            using var probe = new HttpClient { BaseAddress = first.Address };
            Assert.DoesNotContain("unhealthy", await probe.GetStringAsync("/health/ready", TestContext.Current.CancellationToken), StringComparison.Ordinal);
            await first.KillAsync();
        }

        // The 30 s pause is over.
        await ExecuteAsync("update notifications set lease_until = null");
        await server.StartWithTlsAsync("--user", "loyalty", "--password", "p@ss/word");
        await using var second = await ServiceProcess.StartServiceAsync(database, pdi.Address, variables);
        var mail = await server.GetsAsync("new deployment");
        await second.LogsAsync("MailSent");

        Assert.Contains(Release.Full, mail.Text, StringComparison.Ordinal);
        Assert.Single(server.Mails(), sent => sent.Subject == mail.Subject);
    }

    [Fact]
    public async Task An_untrusted_certificate_gets_no_mail_and_no_password()
    {
        await server.StartWithTlsAsync("--smtps", "--user", "loyalty", "--password", "hush");
        var log = new CapturedLog();
        await using var app = await StartAsync(server.Variables($"smtps://loyalty:hush@localhost:{server.Port}"), log);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(log.Text.Contains("SslHandshakeException", StringComparison.Ordinal)), "the mail is refused");

        Assert.Empty(server.Mails());
        Assert.DoesNotContain("hush", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_recipient_delays_no_other_and_gets_the_mail_later()
    {
        await server.StartAsync("--refuse", "gone@example.com=550", "--refuse-twice", "full@example.com=452");
        var log = new CapturedLog();
        var variables = server.Variables();
        variables["MAIL_TO"] = "ops@example.com, gone@example.com, full@example.com, on-call@example.com";
        await using var app = await StartAsync(variables, log);

        var mails = await Eventually.GetAsync(() => Task.FromResult(server.Mails()), mails => mails.Count >= 2, "all have got it who may");
        await Eventually.BecomesTrueAsync(async () => await CountAsync("select count(*) from notifications where ended_at is null") == 0, "nothing is left to send");

        Assert.Equal(["full@example.com", "ops@example.com, on-call@example.com"], server.Mails().Select(mail => mail.Recipients).Order());
        Assert.Single(mails.Select(mail => (mail.Subject, mail.Text)).Distinct());
        var refused = Assert.Single(log.Lines, line => line.GetProperty("level").GetString() == "ERROR");
        Assert.Equal(
            ("MailRecipientRefused", "gone@example.com", "550 not now or never"),
            (refused.GetProperty("event").GetString(), refused.GetProperty("recipient").GetString(), refused.GetProperty("reason").GetString()));
        Assert.Contains("MailNotSent", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_without_accepted_recipients_waits_for_all_of_them()
    {
        await server.StartAsync("--refuse", "ops@example.com=550", "--refuse-twice", "on-call@example.com=550");
        await using var app = await StartAsync(server.Variables());

        Assert.Equal("on-call@example.com", (await server.GetsAsync("new deployment")).Recipients);
    }

    [Fact]
    public async Task Replicas_that_start_together_announce_a_change_once()
    {
        await server.StartAsync();
        await using (await StartAsync(server.Variables()))
            await server.GetsAsync("new deployment");
        await ExecuteAsync("update last_start set value = '0.0.9' where what = 'version'");
        var variables = server.Variables();
        variables["SESSION_TTL_HOURS"] = "12";
        variables["PDI_CLIENT_SECRET"] = "another-secret";

        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync(new(variables))));
        var changed = await server.GetsAsync("the configuration has changed");
        foreach (var replica in replicas)
            await replica.DisposeAsync();

        Assert.Contains("SessionTtl: 1.00:00:00 -> 12:00:00", changed.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", changed.Text.Replace("Secrets are not compared", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

        await using (await StartAsync(variables))
            await Eventually.BecomesTrueAsync(async () => await CountAsync("select count(*) from notifications where ended_at is null") == 0, "nothing is left to send");
        Assert.Equal(3, server.Mails().Count);
        Assert.Contains("The previous start was version 0.0.9", server.Mails().Select(mail => mail.Text).Single(text => text.Contains("0.0.9", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maintenance_is_announced_once_with_a_reminder_and_a_cancellation()
    {
        await server.StartAsync();
        await using var app = await StartAsync(server.Variables());
        var from = TimeProvider.System.GetUtcNow().AddDays(1);
        var request = new { from = from.ToString("yyyy-MM-dd'T'HH:mm:ssK"), until = from.AddHours(2).ToString("yyyy-MM-dd'T'HH:mm:ssK"), reason = "PostgreSQL 16.2" };

        var first = await app.PostAsync("/ops/maintenance", request);
        var again = await app.PostAsync("/ops/maintenance", request);
        var mail = await server.GetsAsync("database maintenance");
        // A day later.
        await ExecuteAsync("update notifications set due_at = now() where key like '% begins'");
        await server.GetsAsync("begins soon");
        var id = first.Json.GetProperty("id").GetString();
        var off = await app.PostAsync($"/ops/maintenance/{id}/call-off", "", ("Idempotency-Key", "off"));
        var repeated = await app.PostAsync($"/ops/maintenance/{id}/call-off", "", ("Idempotency-Key", "off"));
        await server.GetsAsync("called off");

        Assert.Equal((200, 200, first.Text), (first.Status, again.Status, again.Text));
        Assert.Contains("PostgreSQL 16.2", mail.Text, StringComparison.Ordinal);
        Assert.Equal((off.Text, true), (repeated.Text, repeated.IsReplay));
        Assert.True(off.Json.TryGetProperty("calledOffAt", out _), off.Text);
        Assert.Equal(off.Text, (await app.GetAsync("/ops/maintenance")).Json.GetProperty("windows")[0].GetRawText());
        var late = await app.PostAsync($"/ops/maintenance/{id}/call-off", "");
        Assert.Equal((200, off.Text), (late.Status, late.Text));
        await ExecuteAsync("update maintenance_windows set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'");
        Assert.Equal((404, "not_found"), Of(await app.PostAsync($"/ops/maintenance/{id}/call-off", "")));
        Assert.Equal(
            1, await CountAsync("select count(*) from audit where action = 'maintenance.call-off' and outcome = 'done'"));
        // Deployment, announcement, reminder, cancellation.
        Assert.Equal(4, server.Mails().Count);
    }

    [Fact]
    public async Task A_cancelled_window_sends_no_reminder()
    {
        await using var app = await StartAsync(server.Variables());
        var from = TimeProvider.System.GetUtcNow().AddDays(1);
        var window = await app.PostAsync("/ops/maintenance", new { from = $"{from:yyyy-MM-dd'T'HH:mm'Z'}", until = $"{from.AddHours(2):yyyy-MM-dd'T'HH:mm'Z'}", reason = "x" });

        await app.PostAsync($"/ops/maintenance/{window.Json.GetProperty("id").GetString()}/call-off", "");

        Assert.Equal(1, await CountAsync("select count(*) from notifications where key like '% begins' and outcome = 'called_off'"));
    }

    [Fact]
    public async Task Repeating_a_cancellation_completes_it()
    {
        await server.StartAsync();
        await using var app = await StartAsync(server.Variables());
        var from = TimeProvider.System.GetUtcNow().AddDays(1);
        var window = await app.PostAsync("/ops/maintenance", new { from = $"{from:yyyy-MM-dd'T'HH:mm'Z'}", until = $"{from.AddHours(2):yyyy-MM-dd'T'HH:mm'Z'}", reason = "x" });
        // The replica died after it cancelled the window.
        await ExecuteAsync("update maintenance_windows set called_off_at = now()");

        var repeat = await app.PostAsync($"/ops/maintenance/{window.Json.GetProperty("id").GetString()}/call-off", "");

        Assert.Equal(200, repeat.Status);
        Assert.Equal(1, await CountAsync("select count(*) from notifications where key like '% begins' and outcome = 'called_off'"));
        await server.GetsAsync("called off");
    }

    [Fact]
    public async Task A_silent_mail_server_delays_no_sale_and_gets_the_mail_later()
    {
        using var silent = new TcpListener(IPAddress.Loopback, server.Port);
        silent.Start();
        await using var app = await StartAsync(server.Variables());
        using var held = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);

        var sale = await new Sale(app).IdentifiedAsync();
        var finalized = await sale.FinalizeAsync();
        Assert.Equal(0, await CountAsync("select count(*) from notifications where ended_at is not null"));
        held.Close();
        silent.Stop();
        await server.StartAsync();

        Assert.Equal(200, finalized.Status);
        await server.GetsAsync("new deployment");
    }

    [Theory]
    [InlineData("2030-01-01T00:00:00", "2030-01-01T01:00:00Z", "x")]
    [InlineData("2030-01-01", "2030-01-01T01:00:00Z", "x")]
    [InlineData("2030-01-01T02:00:00Z", "2030-01-01T01:00:00Z", "x")]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-09T01:00:00Z", "x")]
    [InlineData("2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", "x")]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T01:00:00Z", "")]
    [InlineData(null, null, null)]
    public async Task An_invalid_window_is_refused(string? from, string? until, string? reason)
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite);

        Assert.Equal((400, "validation_failed"), Of(await app.PostAsync("/ops/maintenance", new { from, until, reason })));
    }

    [Fact]
    public async Task Without_a_mail_server_nothing_is_queued()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);
        await Eventually.BecomesTrueAsync(async () => await CountAsync("select count(*) from last_start") == 2, "the start is noted");

        Assert.DoesNotContain(app.Services.GetRequiredService<JobRunner>().Jobs, job => job.Name == "daily-summary");
        Assert.Equal(0, await CountAsync("select count(*) from notifications"));
    }

    private Task<LoyaltyApp> StartAsync(Dictionary<string, string?> variables, CapturedLog? log = null)
    {
        variables["LOG_LEVEL"] = "info";
        return LoyaltyApp.StartAsync(Backend.Postgres, variables, database, pdi, services =>
        {
            services.AddSingleton(Eager);
            log?.Capture(services);
        });
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new Npgsql.NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> CountAsync(string query)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new Npgsql.NpgsqlCommand(query, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);
}
