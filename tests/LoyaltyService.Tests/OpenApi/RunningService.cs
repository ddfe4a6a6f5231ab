using System.Text.Json.Nodes;
using LoyaltyService.Http;
using LoyaltyService.Storage;
using LoyaltyService.Tests.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>Runs the service in this process, on a free port and a separate database file.</summary>
public sealed class RunningService : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("loyalty-").FullName;
    private WebApplication app = null!;

    /// <summary>What the features registered, by status.</summary>
    internal IReadOnlyList<ErrorCode> Errors => [.. app.Services.GetServices<ErrorCode>().OrderBy(error => error.Status)];

    public HttpClient Http { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        app = Program.Build([], Configure);
        await app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{new Uri(app.Urls.First()).Port}") };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    public async Task<JsonObject> ReadDocumentAsync() =>
        JsonNode.Parse(await Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken))!.AsObject();

    private void Configure(WebApplicationBuilder builder)
    {
        // Keeps out the test run's own variables, such as DATABASE_URL.
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
            Given.Development(("PORT", "0"), ("DATABASE_URL", $"sqlite:{Path.Combine(directory, "loyalty.db")}")));
    }
}

/// <summary>One service for all tests that read its documents.</summary>
[CollectionDefinition(Name)]
public sealed class ReadingTests : ICollectionFixture<RunningService>
{
    public const string Name = "reading";
}
