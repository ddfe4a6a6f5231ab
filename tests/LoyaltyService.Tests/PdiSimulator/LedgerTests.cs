using Microsoft.Data.Sqlite;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

public sealed class LedgerTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pdi-ledger-");

    private string LedgerPath => Path.Combine(_directory.FullName, "ledger.db");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData()]
    [InlineData("--durable")]
    public async Task Sessions_balances_and_answers_survive_a_restart(params string[] options)
    {
        string session;
        string answer;

        await using (var before = await SimulatorHost.StartAsync(["--ledger", LedgerPath, .. options]))
        {
            session = await before.GivenSessionAsync();
            answer = (await JsonAsync(await before.PostFinalizeAsync(session, "key"))).ToJsonString();
        }

        await using var after = await SimulatorHost.StartAsync(["--ledger", LedgerPath, .. options]);

        Assert.Equal(5450, (await JsonAsync(await after.GetStatusAsync(session)))["newBalance"]!.GetValue<long>());
        Assert.Equal(answer, (await JsonAsync(await after.PostFinalizeAsync(session, "key"))).ToJsonString());
        Assert.Equal(5450, (await after.GetAsync("/_simulator/customers/CUST-12345"))["currentPoints"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_ledger_survives_a_kill()
    {
        string session;
        string answer;

        await using (var before = await KillableSimulator.StartAsync(LedgerPath))
        {
            session = await before.Calls.GivenSessionAsync();
            answer = (await JsonAsync(await before.Calls.PostFinalizeAsync(session, "key"))).ToJsonString();
            await before.KillAsync();
        }

        await using var after = await SimulatorHost.StartAsync("--ledger", LedgerPath);

        Assert.Equal(answer, (await JsonAsync(await after.PostFinalizeAsync(session, "key"))).ToJsonString());
        Assert.Equal(5450, (await after.GetAsync("/_simulator/customers/CUST-12345"))["currentPoints"]!.GetValue<long>());
    }

    [Fact]
    public async Task Receipt_numbers_continue_after_a_restart()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var first = await JsonAsync(await pdi.PostFinalizeAsync(await pdi.GivenSessionAsync()));
        var second = await JsonAsync(await pdi.PostFinalizeAsync(await pdi.GivenSessionAsync()));

        Assert.EndsWith("-001", first["receiptId"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.EndsWith("-002", second["receiptId"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_summary_adds_up()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.PostFinalizeAsync(await pdi.GivenSessionAsync(), redeemPoints: 200);
        await pdi.GivenSessionAsync();

        var summary = await pdi.GetAsync("/_simulator/ledger/summary");

        Assert.Equal(
            """{"sessions":2,"openSessions":1,"finalized":1,"doubleFinalized":0,"pointsEarned":450,"pointsRedeemed":200}""",
            summary.ToJsonString());
    }

    [Fact]
    public async Task Without_the_unique_constraint_the_summary_shows_a_double_finalize()
    {
        await using (var pdi = await SimulatorHost.StartAsync("--ledger", LedgerPath))
            await pdi.PostFinalizeAsync(await pdi.GivenSessionAsync());

        await ForgeSecondEffectAsync();

        await using var forged = await SimulatorHost.StartAsync("--ledger", LedgerPath);
        Assert.Equal(1, (await forged.GetAsync("/_simulator/ledger/summary"))["doubleFinalized"]!.GetValue<long>());
        Assert.Equal(2, (await forged.GetAsync("/_simulator/ledger"))["sessions"]![0]!["finalizes"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_ledger_filters_by_transaction_and_channel()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var wanted = await pdi.GivenSessionAsync(transactionId: "TXN-1");
        await pdi.GivenSessionAsync(transactionId: "TXN-2");

        Assert.Equal([wanted], await FindAsync("transactionId=TXN-1"));
        Assert.Equal([wanted], await FindAsync("transactionId=TXN-1&channelId=POS-001"));
        Assert.Equal(2, (await FindAsync("channelId=POS-001")).Length);
        Assert.Equal(2, (await FindAsync("")).Length);
        Assert.Single(await FindAsync("limit=1"));
        Assert.Empty(await FindAsync($"pdiSessionId={wanted}&transactionId=TXN-2"));

        async Task<string[]> FindAsync(string query) =>
            [.. (await pdi.GetAsync($"/_simulator/ledger?{query}"))["sessions"]!.AsArray().Select(entry => entry!["pdiSessionId"]!.GetValue<string>())];
    }

    [Fact]
    public async Task Customers_can_be_created_and_changed()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        await pdi.PutAsync("/_simulator/customers/CUST-NEW", new { tier = "Silver", currentPoints = 10 });
        await pdi.PutAsync("/_simulator/customers/CUST-NEW", new { currentPoints = 20 });

        Assert.Equal(
            """{"customerId":"CUST-NEW","customerName":"Test Customer","tier":"Silver","currentPoints":20}""",
            (await pdi.GetAsync("/_simulator/customers/CUST-NEW")).ToJsonString());
    }

    // A copied table has no constraints.
    private async Task ForgeSecondEffectAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={LedgerPath};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var forge = connection.CreateCommand();
        forge.CommandText = """
            create table copy as select * from finalizes union all select * from finalizes;
            drop table finalizes;
            alter table copy rename to finalizes;
            """;
        await forge.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
