using System.Text;
using System.Text.Json;
using LoyaltyService.Jobs;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The real service on real sockets, with a database of its own and the PDI simulator, all in this process.</summary>
internal sealed class LoyaltyApp : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly bool ownsDatabase;
    private readonly bool ownsPdi;
    private bool isStopped;

    private LoyaltyApp(WebApplication app, TestDatabase database, bool ownsDatabase, Simulator pdi, bool ownsPdi)
    {
        this.app = app;
        this.ownsDatabase = ownsDatabase;
        this.ownsPdi = ownsPdi;
        Database = database;
        Pdi = pdi;
        Address = new Uri($"http://127.0.0.1:{new Uri(app.Urls.First()).Port}");
        Http = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public TestDatabase Database { get; }

    public Simulator Pdi { get; }

    public IServiceProvider Services => app.Services;

    /// <param name="backend">PostgreSQL with Redis, or SQLite with the process's memory.</param>
    /// <param name="variables">Variables that differ from the test's defaults.</param>
    /// <param name="database">A database to go on with; otherwise a new one, gone with the app.</param>
    /// <param name="pdi">A simulator to go on with; otherwise a new one, gone with the app.</param>
    /// <param name="services">Replacements, such as a clock that the test moves.</param>
    /// <param name="map">Routes that the service does not have.</param>
    public static async Task<LoyaltyApp> StartAsync(
        Backend backend,
        Dictionary<string, string?>? variables = null,
        TestDatabase? database = null,
        Simulator? pdi = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null)
    {
        var ownsDatabase = database is null;
        // The app itself migrates PostgreSQL's; a file is a copy that is migrated already.
        database ??= await TestDatabase.CreateAsync(backend, migrate: backend is Backend.Sqlite);
        var ownsPdi = pdi is null;
        pdi ??= await Simulator.StartAsync();
        var app = Program.Build([], builder =>
        {
            builder.Configuration.AddInMemoryCollection(
                ServiceEnvironment.Of(database, pdi.Address, port: 0, new(variables ?? []) { ["LOG_LEVEL"] = variables?.GetValueOrDefault("LOG_LEVEL") ?? "debug" }));
            services?.Invoke(builder.Services);
            builder.Services.TryAddSingleton(new LogOutput(RunLog.Output));
            // Nothing by the clock, unless the test says so.
            builder.Services.TryAddSingleton(new JobLimits { BySchedule = false });
        });
        map?.Invoke(app);
        await app.StartAsync();
        return new LoyaltyApp(app, database, ownsDatabase, pdi, ownsPdi);
    }

    public Task<Answer> PostAsync(string path, object body, params (string Name, string Value)[] headers) =>
        PostJsonAsync(path, body as string ?? JsonSerializer.Serialize(body), headers);

    public async Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await SendAsync(request, headers);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request, params (string Name, string Value)[] headers)
    {
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    /// <summary>How many sessions there are, whatever they are.</summary>
    public async Task<long> CountSessionsAsync()
    {
        const string Count = "select count(*) from sessions";
        if (Services.GetService<SqliteDatabase>() is { } sqlite)
        {
            return await sqlite.ReadAsync(
                static connection =>
                {
                    using var command = connection.Command(Count);
                    return (long)command.ExecuteScalar()!;
                },
                CancellationToken.None);
        }

        await using var connection = await Database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand(Count, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>As if all sessions had happened that much earlier.</summary>
    public Task MakeOlderAsync(TimeSpan by)
    {
        var much = Services.GetService<SqliteDatabase>() is null ? $"interval '{by.TotalSeconds} seconds'" : $"{by.ToMilliseconds()}";
        return ExecuteAsync(
            $"update sessions set created_at = created_at - {much}, expires_at = expires_at - {much}, finalized_at = finalized_at - {much}, failed_at = failed_at - {much}");
    }

    /// <summary>What waits for PDI is held by nobody and due, as if its holders had been away long enough.</summary>
    public Task LeasesRunOutAsync() => ExecuteAsync("update pdi_work set lease_until = null, due_at = created_at");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await StopAsync();
        if (ownsPdi)
            await Pdi.DisposeAsync();
        if (ownsDatabase)
            await Database.DisposeAsync();
    }

    /// <summary>Stops the service alone; the database and PDI stay.</summary>
    public async Task StopAsync()
    {
        if (isStopped)
            return;
        isStopped = true;
        await app.StopAsync();
        await app.DisposeAsync();
    }

    /// <summary>Changes the tables behind the service's back.</summary>
    public async Task ExecuteAsync(string statement)
    {
        if (Services.GetService<SqliteDatabase>() is { } sqlite)
        {
            await sqlite.WriteAsync(connection => connection.Execute(statement), CancellationToken.None);
            return;
        }

        await using var connection = await Database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<Answer> PostJsonAsync(string path, string json, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        return await SendAsync(request, headers);
    }
}

/// <summary>An answer of the service, read to its end.</summary>
internal sealed record Answer(int Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public string? Code => Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public string SessionId => Json.GetProperty("sessionId").GetString()!;

    public int Version => Json.GetProperty("version").GetInt32();

    public bool IsReplay => Headers.ContainsKey("Idempotent-Replayed");

    // Not the members above: not every answer has them.
    public override string ToString() => $"{Status} {Text}";

    public static async Task<Answer> ReadAsync(HttpResponseMessage response)
    {
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), headers);
    }
}
