using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The checklist's commands. Its rows "tests" and "security" run and restore the whole repository, and are not run from within a test.</summary>
public sealed class ChecklistTests : IAsyncLifetime
{
    private readonly string changes = Path.GetTempFileName();
    private readonly Dictionary<string, string?> environment = new()
    {
        ["NODE_ENV"] = "production",
        ["REDIS_URL"] = "redis://cache.example.com",
        ["PDI_API_URL"] = "https://pdi.example.com/",
        ["PDI_CLIENT_ID"] = "loyalty",
        ["PDI_CLIENT_SECRET"] = "hush",
        ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("not a secret")}",
    };

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(Backend.Postgres);
        environment["DATABASE_URL"] = database.Url;
        environment["LOYALTY_SERVICE"] = $"dotnet {typeof(Program).Assembly.Location}";
        environment["CHANGELOG"] = changes;
        await File.WriteAllTextAsync(changes, $"## [Unreleased]\n\n## [{Release.Version}]\n");
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(changes);
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Before_a_deployment_all_is_well_with_a_configuration_a_database_and_a_changelog()
    {
        var list = await RunAsync("before", "migrations", "configuration", "docs");

        Assert.True(list.ExitCode == 0, list.Output);
        Assert.Matches(@"(?m)^migrations +required +ok .*-- The schema is up to date\.$", list.Output);
        Assert.Matches(@"(?m)^configuration +required +ok .*The configuration is usable, for production\.$", list.Output);
        Assert.Matches(@"(?m)^docs +required +ok ", list.Output);
        Assert.DoesNotContain("hush", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_well_fails_its_own_row_and_the_list()
    {
        environment["PORT"] = "abc";
        await File.WriteAllTextAsync(changes, "## [Unreleased]\n", TestContext.Current.CancellationToken);

        var list = await RunAsync("before", "configuration", "docs");

        Assert.Equal(1, list.ExitCode);
        Assert.Contains("PORT: must be a whole number", list.Output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^configuration +required +FAILED ", list.Output);
        Assert.Matches($@"(?m)^docs +required +FAILED .*no section for {Release.Version}\.$", list.Output);
    }

    [Fact]
    public async Task After_a_deployment_it_makes_a_sale_at_the_service()
    {
        Ran well;
        Uri address;
        await using (var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database))
        {
            address = app.Address;
            well = await RunAsync("after", address.AbsoluteUri);
        }

        var gone = await RunAsync("after", address.AbsoluteUri);

        Assert.True(well.ExitCode == 0, well.Output);
        Assert.Matches(@"(?m)^finalize +ok ", well.Output);
        Assert.Equal(1, gone.ExitCode);
        Assert.Matches(@"(?m)^finalize +FAILED ", gone.Output);
    }

    [Theory]
    [InlineData]
    [InlineData("after")]
    [InlineData("before", "lunch")]
    public async Task What_it_does_not_know_it_answers_with_its_usage(params string[] words) => Assert.Equal(64, (await RunAsync(words)).ExitCode);

    private Task<Ran> RunAsync(params string[] words) => Ran.ToItsEndAsync(Repository.PathOf("deploy/checklist.sh"), words, environment);
}
