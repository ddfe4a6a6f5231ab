using CsCheck;
using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// Any calls in any order, while PDI fails in every way, time runs out and the service is restarted: every answer is the one that
/// <see cref="SaleModel"/> says. A mismatch prints its seed and the shortest row of steps that shows it.
/// </summary>
public abstract class SaleModelTests(Backend backend) : IAsyncLifetime
{
    private const int Sales = 3;
    private const int Seconds = 10;

    // What fails must fail fast here, and nothing but PDI decides whether it answers: no breaker, no parking.
    private static readonly PdiOptions Pdi = new() { MaxRetries = 1, FirstBackoff = TimeSpan.FromMilliseconds(1), BreakerFailureThreshold = int.MaxValue };
    private static readonly PdiWorkLimits Work = new()
    {
        MaxItems = int.MaxValue,
        MaxAttempts = int.MaxValue,
        Poll = TimeSpan.FromMilliseconds(20),
        FirstPause = TimeSpan.FromMilliseconds(50),
        LongestPause = TimeSpan.FromMilliseconds(50),
    };

    private static readonly RepeatLimits Repeats = new() { Wait = TimeSpan.Zero };

    private static readonly string[] Operations = ["identify", "calculateRewards", "finalize", "getSessionStatus"];

    private static readonly Gen<int> Sale = Gen.Int[0, Sales - 1];

    private static readonly Gen<decimal> Amounts = Gen.OneOf(150.00m, 10.55m, 0.33m);

    // Nearly always the same customer and body, so that repeats are repeats and sales come to their end.
    private static readonly Gen<Step> Steps = Gen.Frequency(
        (16, Gen.Select(Sale, Gen.Frequency((8, Gen.Const("CUST-GOLD")), (1, Gen.Const("CUST-BRONZE")), (1, Gen.Const("CUST-NOBODY"))),
            Step (sale, customer) => new Step.Identify(sale, customer))),
        (14, Gen.Select(Sale, Amounts, Step (sale, amount) => new Step.Calculate(sale, amount))),
        (18, Gen.Select(Sale, Gen.Frequency(
                (8, Gen.Const(new SaleFinalize(150.00m))), (1, Amounts.Select(amount => new SaleFinalize(amount))),
                (1, Gen.Const(new SaleFinalize(150.00m, ApplyRewards: false))), (2, Gen.Const(new SaleFinalize(150.00m, RedeemsTooMuch: true))),
                (1, Gen.Const(new SaleFinalize(150.00m, OtherTransaction: true)))),
            Step (sale, body) => new Step.Finalize(sale, body))),
        (5, Gen.OneOf("reset", "commit-then-reset", "status", "cut", "not-json").Select(Step (kind) => new Step.PdiFails(kind))),
        (2, Gen.Const<Step>(new Step.PdiIsOutOfReach())),
        (4, Gen.Const<Step>(new Step.PdiIsBack())),
        (1, Gen.Const<Step>(new Step.TimeRunsOut())),
        (1, Gen.Const<Step>(new Step.OverdueAreFailed())),
        // A restart takes as long as all the others together.
        (1, Gen.Const<Step>(new Step.Restart())));

    private readonly PdiConnection connection = new();
    private TestDatabase database = null!;
    private Simulator pdi = null!;
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(backend, migrate: false);
        pdi = await Simulator.StartAsync();
        await StartServiceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await pdi.DisposeAsync();
        await database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Any_calls_in_any_order_are_answered_as_the_model_says()
    {
        var (rows, steps) = (0, 0);
        await Steps.Array[1, 30].SampleAsync(
            async row =>
            {
                await RunAsync(row);
                (rows, steps) = (rows + 1, steps + row.Length);
            },
            time: Seconds, threads: 1, print: static row => string.Join("; ", row.Select(step => step.ToString())));

        TestContext.Current.TestOutputHelper!.WriteLine($"{rows} rows of {steps} steps.");
        var summary = await pdi.SummaryAsync();
        await app.StopAsync();
        var books = new Books(database, backend);
        Assert.Equal(0, summary.GetProperty("doubleFinalized").GetInt64());
        Assert.Equal(await books.CountAsync("select count(*) from sessions where status = 'finalized'"), summary.GetProperty("finalized").GetInt64());
        Assert.Equal(
            await books.CountAsync("select coalesce(sum(earned_points), 0) from sessions where status = 'finalized'"), summary.GetProperty("pointsEarned").GetInt64());
        // An intent comes to PDI under one key, however often it is sent.
        Assert.InRange(await pdi.KeysAsync("finalize"), 1, await books.CountAsync("select count(*) from session_events where event = 'finalize_requested'"));
        Assert.Equal(0, await books.CountAsync("select count(*) from pdi_work"));
    }

    private async Task StartServiceAsync(bool migrate = true) => app = await LoyaltyApp.StartAsync(
        backend, new() { ["AUTO_MIGRATE"] = migrate ? "true" : "false" }, database, pdi, services =>
        {
            connection.StandBetween(services);
            services.AddSingleton(Pdi);
            services.AddSingleton(Work);
            services.AddSingleton(Repeats);
        });

    private async Task RunAsync(Step[] row)
    {
        await pdi.HealAsync();
        connection.IsRefused = false;
        var world = new World(app);
        foreach (var step in row)
        {
            switch (step)
            {
                case Step.Identify(var sale, var customer):
                    await world.Sales[sale].IdentifyAsync(customer, world.PdiAnswers);
                    continue;
                case Step.Calculate(var sale, var amount):
                    await world.Sales[sale].CalculateAsync(amount, world.PdiAnswers);
                    continue;
                case Step.Finalize(var sale, var body):
                    await world.Sales[sale].FinalizeAsync(body, world.PdiAnswers, !connection.IsRefused);
                    continue;
                case Step.PdiFails(var kind):
                    foreach (var operation in Operations)
                        await pdi.FaultAsync(operation, new { kind });
                    world.PdiAnswers = false;
                    continue;
                case Step.PdiIsOutOfReach:
                    connection.IsRefused = true;
                    world.PdiAnswers = false;
                    continue;
                case Step.PdiIsBack:
                    await SettleAsync(world);
                    break;
                case Step.TimeRunsOut:
                    await app.MakeOlderAsync(TimeSpan.FromHours(25));
                    world.Each(static model => model.Expire());
                    break;
                case Step.OverdueAreFailed:
                    await FailOverdueAsync();
                    world.Each(static model => model.FailOverdue());
                    break;
                case Step.Restart:
                    await app.StopAsync();
                    await StartServiceAsync(migrate: false);
                    world.Continue(app);
                    break;
            }

            foreach (var sale in world.Sales)
                await sale.StandsAsExpectedAsync();
        }

        await SettleAsync(world);
        foreach (var sale in world.Sales)
            await sale.StandsAsExpectedAsync();
    }

    private async Task SettleAsync(World world)
    {
        await pdi.HealAsync();
        connection.IsRefused = false;
        await app.LeasesRunOutAsync();
        var queue = app.Services.GetRequiredService<IPdiWorkStore>();
        await Eventually.BecomesTrueAsync(async () => (await queue.CountAsync(CancellationToken.None)).Waiting == 0, "nothing waits for PDI any more");
        world.PdiAnswers = true;
        world.Each(static model => model.Settle());
    }

    private async Task FailOverdueAsync()
    {
        var upkeep = app.Services.GetRequiredService<ISessionUpkeep>();
        var from = WalkPosition.Start;
        while (await upkeep.ExpireAsync(from, TimeProvider.System.GetUtcNow(), 1000, TimeSpan.Zero, CancellationToken.None) is { Reached: { } reached })
            from = reached;
    }

    private abstract record Step
    {
        internal sealed record Identify(int Sale, string Customer) : Step;

        internal sealed record Calculate(int Sale, decimal Amount) : Step;

        internal sealed record Finalize(int Sale, SaleFinalize Body) : Step;

        internal sealed record PdiFails(string Kind) : Step;

        internal sealed record PdiIsOutOfReach : Step;

        internal sealed record PdiIsBack : Step;

        internal sealed record TimeRunsOut : Step;

        internal sealed record OverdueAreFailed : Step;

        internal sealed record Restart : Step;
    }

    private sealed class World(LoyaltyApp app)
    {
        public ModelledSale[] Sales { get; } = [.. Enumerable.Range(0, SaleModelTests.Sales).Select(_ => new ModelledSale(new Sale(app)))];

        public bool PdiAnswers { get; set; } = true;

        public void Each(Action<SaleModel> happens)
        {
            foreach (var sale in Sales)
                happens(sale.Model);
        }

        public void Continue(LoyaltyApp restarted)
        {
            foreach (var sale in Sales)
                sale.Continue(restarted);
        }
    }
}

public sealed class SaleModelOnPostgresTests() : SaleModelTests(Backend.Postgres);

public sealed class SaleModelOnSqliteTests() : SaleModelTests(Backend.Sqlite);
