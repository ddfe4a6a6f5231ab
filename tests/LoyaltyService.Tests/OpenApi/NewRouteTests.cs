using System.Text.Json.Nodes;
using LoyaltyService.Http;
using LoyaltyService.OpenApi;
using LoyaltyService.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>A new route without any description.</summary>
public sealed class NewRouteTests
{
    [Fact]
    public async Task A_route_inherits_the_errors_of_its_group()
    {
        var operation = await DescribeAsync(app => app.MapGroup("/ops").GivesCommonErrors().MapGet("/new", () => Results.Ok()));

        Assert.Equal(["200", "401", "403", "429", "500", "503"], Statuses(operation));
        Assert.NotNull(operation["responses"]!["503"]!["headers"]!["Retry-After"]);
    }

    [Fact]
    public async Task A_route_outside_groups_documents_no_errors()
    {
        var operation = await DescribeAsync(app => app.MapGet("/ops/new", () => Results.Ok()));

        Assert.Equal(["200"], Statuses(operation));
        Assert.NotNull(operation["responses"]!["200"]!["headers"]!["X-Request-Id"]);
    }

    private static IEnumerable<string> Statuses(JsonNode operation) => operation["responses"]!.AsObject().Select(response => response.Key);

    private static async Task<JsonNode> DescribeAsync(Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddHttp();
        builder.AddApiReference();
        await using var app = builder.Build();
        map(app);
        app.MapOpenApi();
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient();
        var document = await http.GetStringAsync(new Uri($"{app.Urls.First()}/openapi/v1.json"), TestContext.Current.CancellationToken);
        return JsonNode.Parse(document)!["paths"]!["/ops/new"]!["get"]!;
    }
}
