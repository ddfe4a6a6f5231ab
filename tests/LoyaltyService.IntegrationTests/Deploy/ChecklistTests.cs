using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>
/// The checklist's commands. Its rows "tests" and "security" build and restore the whole repository, which takes minutes. Here a stub of
/// dotnet shows which commands they run and how they read the output.
/// </summary>
public sealed class ChecklistTests : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("checklist-test-");
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
    }

    public async ValueTask DisposeAsync()
    {
        folder.Delete(recursive: true);
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Before_a_deployment_a_complete_setup_passes()
    {
        var list = await RunAsync("before", "migrations", "configuration", "docs");

        Assert.True(list.ExitCode == 0, list.Output);
        Assert.Matches(@"(?m)^migrations +required +ok .*-- The schema is up to date\.$", list.Output);
        Assert.Matches(@"(?m)^configuration +required +ok .*The configuration is usable, for production\.$", list.Output);
        Assert.Matches($@"(?m)^docs +required +ok .*CHANGELOG\.md has a section for {Release.Version}\.$", list.Output);
        Assert.DoesNotContain("hush", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_problem_fails_its_row_and_the_checklist()
    {
        environment["PORT"] = "abc";
        environment["CHANGELOG"] = PathOf("changes");
        await File.WriteAllTextAsync(PathOf("changes"), "## [Unreleased]\n", TestContext.Current.CancellationToken);

        var list = await RunAsync("before", "configuration", "docs");

        Assert.Equal(1, list.ExitCode);
        Assert.Contains("PORT: must be a whole number", list.Output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^configuration +required +FAILED ", list.Output);
        Assert.Matches($@"(?m)^docs +required +FAILED .*no section for {Release.Version}\.$", list.Output);
    }

    [Fact]
    public async Task The_tests_row_runs_test_sh_and_fails_with_it()
    {
        await UseDotnetAsync("""[ "$1" != test ] || printf '  succeeded: 3\n  failed: 0\n'""");
        var passing = await RunAsync("before", "tests");
        var called = await File.ReadAllLinesAsync(PathOf("called"), TestContext.Current.CancellationToken);
        await UseDotnetAsync("""[ "$1" != test ] || { printf '  succeeded: 2\n  failed: 1\n'; exit 2; }""");
        var failing = await RunAsync("before", "tests");

        Assert.True(passing.ExitCode == 0, passing.Output);
        Assert.Matches(@"(?m)^tests +required +ok .* 3 passed, 0 failed$", passing.Output);
        Assert.Equal("restore --locked-mode --force", called[0]);
        Assert.Equal(
            [
                "format whitespace --verify-no-changes --no-restore", "build --no-restore --configuration Test -p:UseSharedCompilation=true",
                "build-server shutdown --vbcscompiler", "test --no-build --configuration Test --timeout 20m",
            ],
            called[^4..]);
        Assert.Equal(1, failing.ExitCode);
        Assert.Matches(@"(?m)^tests +required +FAILED .* 2 passed, 1 failed$", failing.Output);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("exit 1", false)]
    // A low severity, which does not fail a build.
    [InlineData("echo 'warning NU1901: Package has a known low severity vulnerability'", false)]
    // The check itself failed.
    [InlineData("echo 'warning NU1905: Audit source did not provide any vulnerability data'", false)]
    public async Task The_security_row_fails_on_a_vulnerability_or_a_failed_check(string dotnet, bool well)
    {
        await UseDotnetAsync(dotnet);

        var list = await RunAsync("before", "security");

        Assert.Equal("restore --force -p:NuGetAuditLevel=low\n", await File.ReadAllTextAsync(PathOf("called"), TestContext.Current.CancellationToken));
        Assert.Equal(well ? 0 : 1, list.ExitCode);
        Assert.Matches(well ? @"(?m)^security +critical +ok .*No package has a known vulnerability\.$" : @"(?m)^security +critical +FAILED ", list.Output);
    }

    [Fact]
    public async Task After_a_deployment_it_makes_a_sale()
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
    public async Task Unknown_arguments_print_the_usage(params string[] words) => Assert.Equal(64, (await RunAsync(words)).ExitCode);

    private string PathOf(string file) => Path.Combine(folder.FullName, file);

    /// <summary>Puts a dotnet on the path that records its arguments and then runs the given script.</summary>
    private async Task UseDotnetAsync(string script)
    {
        await File.WriteAllTextAsync(PathOf("dotnet"), $"#!/bin/sh\necho \"$*\" >>'{PathOf("called")}'\n{script}\n", TestContext.Current.CancellationToken);
        (await Ran.ToItsEndAsync("chmod", ["+x", PathOf("dotnet")])).Succeeded();
        environment["PATH"] = $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    private Task<Ran> RunAsync(params string[] words) => Ran.ToItsEndAsync(Repository.PathOf("deploy/checklist.sh"), words, environment);
}
