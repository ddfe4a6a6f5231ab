using System.Text.Json;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using NJsonSchema;
using YamlDotNet.Serialization;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>compose.yaml and the workflow, which no engine runs here: against the schema of the one, and against the repository.</summary>
public sealed class ComposeTests
{
    private static readonly JsonElement Compose = Read("compose.yaml");

    [Fact]
    public async Task It_keeps_to_the_schema_of_the_compose_specification()
    {
        var schema = await JsonSchema.FromJsonAsync(Repository.ReadAllText("tests/LoyaltyService.IntegrationTests/Deploy/Schemas/compose-spec.json"), TestContext.Current.CancellationToken);

        Assert.Empty(schema.Validate(Compose.GetRawText()).Select(error => error.ToString()));
        // The schema is read, and not passed over.
        Assert.NotEmpty(schema.Validate(Compose.GetRawText().Replace("\"depends_on\"", "\"depend_on\"", StringComparison.Ordinal)));
        Assert.NotEmpty(schema.Validate(Compose.GetRawText().Replace("service_healthy", "healthy", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_service_gets_an_environment_that_it_can_use_and_no_variable_that_it_does_not_know()
    {
        var environment = Compose.GetProperty("services").GetProperty("app").GetProperty("environment").EnumerateObject().ToDictionary(variable => variable.Name, string? (variable) => variable.Value.GetString());
        var known = ConfigurationModule.Environment(environment.GetValueOrDefault);

        Assert.All(environment.Keys, name => Assert.Contains(name, known.Keys));
        var settings = SettingsReader.Read(known, ConfigurationModule.ReadFile);
        Assert.Equal(AppEnvironment.Development, settings.Environment);
        // Callers come from outside the container: without keys none would be let in.
        Assert.NotEmpty(settings.ApiKeys);
        // Each server that it names is a service of the file.
        var services = Compose.GetProperty("services").EnumerateObject().Select(service => service.Name).ToList();
        Assert.Contains(((PostgresUrl)settings.Database).ToNpgsql().Host, services);
        Assert.Contains(settings.PdiApiUrl.Host, services);
        Assert.Contains(new Uri(environment["REDIS_URL"]!).Host, services);
    }

    [Fact]
    public void It_has_the_briefs_services_which_wait_for_each_other()
    {
        var services = Compose.GetProperty("services");

        Assert.Equal(("postgres:16-alpine", "redis:7-alpine"), (services.GetProperty("postgres").GetProperty("image").GetString(), services.GetProperty("redis").GetProperty("image").GetString()));
        foreach (var server in new[] { "postgres", "redis" })
        {
            Assert.Equal("service_healthy", services.GetProperty("app").GetProperty("depends_on").GetProperty(server).GetProperty("condition").GetString());
            Assert.True(services.GetProperty(server).TryGetProperty("healthcheck", out _));
        }

        Assert.Equal("3000:3000", services.GetProperty("app").GetProperty("ports")[0].GetString());
    }

    [Fact]
    public async Task Every_file_that_it_mounts_is_there_and_prometheus_can_use_its_own()
    {
        var mounted = Compose.GetProperty("services").EnumerateObject()
            .SelectMany(service => service.Value.TryGetProperty("volumes", out var volumes) ? volumes.EnumerateArray().Select(volume => volume.GetString()!) : [])
            .Where(volume => volume.StartsWith("./", StringComparison.Ordinal)).Select(volume => volume.Split(':')[0]).ToList();
        Assert.NotEmpty(mounted);
        Assert.All(mounted, path => Assert.True(Path.Exists(Repository.PathOf(path)), path));
        var dashboards = Read("deploy/compose/grafana-dashboards.yaml").GetProperty("providers")[0].GetProperty("options").GetProperty("path").GetString();
        Assert.Contains($"./deploy/grafana:{dashboards}:ro", Compose.GetRawText(), StringComparison.Ordinal);

        var folder = Directory.CreateTempSubdirectory("compose-test-");
        foreach (var file in new[] { "deploy/compose/prometheus.yaml", "deploy/prometheus/alerts.yaml" })
            File.Copy(Repository.PathOf(file), Path.Combine(folder.FullName, Path.GetFileName(file)));
        var (exitCode, output) = await Prometheus.RunPromtoolAsync("", "check", "config", Path.Combine(folder.FullName, "prometheus.yaml"));
        folder.Delete(recursive: true);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void The_workflow_runs_the_command_that_developers_run_with_the_repositorys_sdk()
    {
        var steps = Read(".github/workflows/test.yaml").GetProperty("jobs").GetProperty("test").GetProperty("steps").EnumerateArray().ToList();

        Assert.Equal("./test.sh", steps[^1].GetProperty("run").GetString());
        Assert.Contains(steps, step => step.TryGetProperty("with", out var with) && with.TryGetProperty("global-json-file", out var file) && file.GetString() == "global.json");
    }

    private static JsonElement Read(string path)
    {
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(Repository.ReadAllText(path));
        return JsonDocument.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(yaml)).RootElement;
    }
}
