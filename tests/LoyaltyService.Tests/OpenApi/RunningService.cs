using System.Text.Json.Nodes;
using LoyaltyService.Http;
using LoyaltyService.Storage;
using LoyaltyService.Tests.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>The service in this process, on a port that the system chooses, with its database in a file of its own.</summary>
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
        // Values of the test run itself, such as a DATABASE_URL, must not get in.
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
            Given.Development(("PORT", "0"), ("DATABASE_URL", $"sqlite:{Path.Combine(directory, "loyalty.db")}")));
    }
}

/// <summary>The tests that read the service's documents share one service.</summary>
[CollectionDefinition(Name)]
public sealed class ReadingTests : ICollectionFixture<RunningService>
{
    public const string Name = "reading";
}
