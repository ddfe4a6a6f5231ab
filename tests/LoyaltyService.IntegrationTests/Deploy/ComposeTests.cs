using System.Text.Json;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using NJsonSchema;
using YamlDotNet.Serialization;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>Checks compose.yaml against its schema, and both it and the workflow against the repository. Nothing here runs them.</summary>
public sealed class ComposeTests
{
    private static readonly JsonElement Compose = Read("compose.yaml");

    [Fact]
    public async Task It_follows_the_compose_schema()
    {
        var schema = await JsonSchema.FromJsonAsync(Repository.ReadAllText("tests/LoyaltyService.IntegrationTests/Deploy/Schemas/compose-spec.json"), TestContext.Current.CancellationToken);

        Assert.Empty(schema.Validate(Compose.GetRawText()).Select(error => error.ToString()));
        // Proves that the schema is applied.
        Assert.NotEmpty(schema.Validate(Compose.GetRawText().Replace("\"depends_on\"", "\"depend_on\"", StringComparison.Ordinal)));
        Assert.NotEmpty(schema.Validate(Compose.GetRawText().Replace("service_healthy", "healthy", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_service_gets_a_valid_environment_and_no_unknown_variable()
    {
        var environment = Compose.GetProperty("services").GetProperty("app").GetProperty("environment").EnumerateObject().ToDictionary(variable => variable.Name, string? (variable) => variable.Value.GetString());
        var known = ConfigurationModule.Environment(environment.GetValueOrDefault);

        Assert.All(environment.Keys, name => Assert.Contains(name, known.Keys));
        var settings = SettingsReader.Read(known, ReadSecret);
        Assert.Equal(AppEnvironment.Development, settings.Environment);
        // Callers come from outside the container, so without keys the service would refuse them all.
        Assert.NotEmpty(settings.ApiKeys);
        // Each named server is a service of the file.
        var services = Compose.GetProperty("services").EnumerateObject().Select(service => service.Name).ToList();
        Assert.Contains(((PostgresUrl)settings.Database).ToNpgsql().Host, services);
        Assert.Contains(settings.PdiApiUrl.Host, services);
        Assert.Contains(new Uri(environment["REDIS_URL"]!).Host, services);
    }

    [Fact]
    public void Inspecting_a_container_shows_no_secret()
    {
        var files = Compose.GetProperty("secrets").EnumerateObject().ToDictionary(secret => secret.Name, secret => Repository.PathOf(secret.Value.GetProperty("file").GetString()!));
        var secrets = files.Values.Select(file => File.ReadAllText(file).Trim()).Append("user:pass").ToList();
        var given = new List<string>();
        foreach (var service in Compose.GetProperty("services").EnumerateObject())
        {
            var own = service.Value.TryGetProperty("secrets", out var mounted) ? mounted.EnumerateArray().Select(secret => secret.GetString()!).ToList() : [];
            given.AddRange(own);
            var words = WordsOf(service.Value).ToList();
            Assert.DoesNotContain(words, word => secrets.Exists(secret => word == secret || (secret.Contains(':', StringComparison.Ordinal) && word.Contains(secret, StringComparison.Ordinal))));
            // The service reads each of the files.
            Assert.All(own, secret => Assert.Contains($"/run/secrets/{secret}", words));
        }

        Assert.Equal(files.Keys.Order(), given.Order());
        var app = Compose.GetProperty("services").GetProperty("app").GetProperty("environment").EnumerateObject().Select(variable => variable.Name).ToList();
        Assert.Equal(["REDIS_URL"], EnvironmentVariables.All.Where(variable => variable.IsSecret).Select(variable => variable.Name).Intersect(app));
        Assert.DoesNotContain("@", Compose.GetProperty("services").GetProperty("app").GetProperty("environment").GetProperty("REDIS_URL").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_the_required_services_in_dependency_order()
    {
        var services = Compose.GetProperty("services");

        Assert.Equal(("postgres:16-alpine", "redis:7-alpine"), (services.GetProperty("postgres").GetProperty("image").GetString(), services.GetProperty("redis").GetProperty("image").GetString()));
        foreach (var server in new[] { "postgres", "redis" })
            Assert.Equal("service_healthy", ConditionOf("app", server));
        // Checks over TCP: the temporary server that initialises a new volume does not listen there.
        Assert.Equal("pg_isready -h 127.0.0.1 -U user -d loyalty", CheckOf("postgres", "CMD-SHELL"));
        Assert.Equal("redis-cli ping", CheckOf("redis", "CMD"));
        Assert.Equal("3000:3000", services.GetProperty("app").GetProperty("ports")[0].GetString());

        string? ConditionOf(string service, string on) => services.GetProperty(service).GetProperty("depends_on").GetProperty(on).GetProperty("condition").GetString();

        string CheckOf(string service, string kind)
        {
            var check = services.GetProperty(service).GetProperty("healthcheck");
            Assert.Equal(("5s", "5s", 10), (check.GetProperty("interval").GetString(), check.GetProperty("timeout").GetString(), check.GetProperty("retries").GetInt32()));
            var words = check.GetProperty("test").EnumerateArray().Select(word => word.GetString()).ToList();
            Assert.Equal(kind, words[0]);
            return string.Join(' ', words[1..]);
        }
    }

    [Fact]
    public void The_service_runs_as_in_a_cluster_with_time_to_drain()
    {
        var app = Compose.GetProperty("services").GetProperty("app");

        Assert.True(app.GetProperty("read_only").GetBoolean());
        Assert.Equal("ALL", app.GetProperty("cap_drop").EnumerateArray().Single().GetString());
        Assert.Equal("no-new-privileges:true", app.GetProperty("security_opt").EnumerateArray().Single().GetString());
        Assert.Equal("35s", app.GetProperty("stop_grace_period").GetString());
        Assert.Equal("on-failure", app.GetProperty("restart").GetString());
    }

    [Fact]
    public void Prometheus_scrapes_the_service_and_Grafana_queries_Prometheus()
    {
        var services = Compose.GetProperty("services");
        var prometheus = Read("deploy/compose/prometheus.yaml");
        var source = Read("deploy/compose/grafana-datasource.yaml").GetProperty("datasources")[0];

        var target = prometheus.GetProperty("scrape_configs")[0].GetProperty("static_configs")[0].GetProperty("targets")[0].GetString()!.Split(':');
        Assert.Equal(services.GetProperty("app").GetProperty("environment").TryGetProperty("PORT", out var port) ? port.GetString() : EnvironmentVariables.Port.Default, target[1]);
        Assert.True(services.TryGetProperty(target[0], out _), target[0]);
        var rules = prometheus.GetProperty("rule_files")[0].GetString()!;
        var mounted = Volumes(services.GetProperty("prometheus")).Select(volume => volume.Split(':')[1]).ToList();
        Assert.Contains(Path.Combine("/etc/prometheus", rules), mounted);
        Assert.Contains(services.GetProperty("prometheus").GetProperty("command")[0].GetString()!.Split('=')[1], mounted);

        var asked = new Uri(source.GetProperty("url").GetString()!);
        Assert.Equal("prometheus", source.GetProperty("type").GetString());
        Assert.Contains($":{asked.Port}", services.GetProperty(asked.Host).GetProperty("ports")[0].GetString(), StringComparison.Ordinal);
        Assert.True(services.GetProperty("grafana").GetProperty("depends_on").TryGetProperty("prometheus", out _));
    }

    [Fact]
    public async Task Every_mounted_file_exists_and_Prometheus_accepts_its_files()
    {
        var mounted = Compose.GetProperty("services").EnumerateObject()
            .SelectMany(service => Volumes(service.Value))
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
    public void The_workflow_runs_test_sh_with_the_repositorys_SDK()
    {
        var steps = Read(".github/workflows/test.yaml").GetProperty("jobs").GetProperty("test").GetProperty("steps").EnumerateArray().ToList();

        Assert.Equal("./test.sh", steps[^1].GetProperty("run").GetString());
        Assert.Contains(steps, step => step.TryGetProperty("with", out var with) && with.TryGetProperty("global-json-file", out var file) && file.GetString() == "global.json");
        // Needs the full history: a test builds the last release from it.
        Assert.Contains(steps, step => step.TryGetProperty("with", out var with) && with.TryGetProperty("fetch-depth", out var depth) && depth.GetInt32() == 0);
    }

    /// <summary>Every scalar in a service's definition.</summary>
    private static IEnumerable<string> WordsOf(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.Object => part.EnumerateObject().SelectMany(member => WordsOf(member.Value)),
        JsonValueKind.Array => part.EnumerateArray().SelectMany(WordsOf),
        _ => [part.ToString()],
    };

    private static string ReadSecret(string path) =>
        File.ReadAllText(Repository.PathOf(Compose.GetProperty("secrets").GetProperty(Path.GetFileName(path)).GetProperty("file").GetString()!));

    private static IEnumerable<string> Volumes(JsonElement service) =>
        service.TryGetProperty("volumes", out var volumes) ? volumes.EnumerateArray().Select(volume => volume.GetString()!) : [];

    private static JsonElement Read(string path)
    {
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(Repository.ReadAllText(path));
        return JsonDocument.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(yaml)).RootElement;
    }
}
