using System.Text.RegularExpressions;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>The page must work without internet access.</summary>
[Collection(ReadingTests.Name)]
public sealed partial class ReferencePageTests(RunningService service)
{
    [Fact]
    public async Task The_page_names_no_other_host()
    {
        using var answer = await service.Http.GetAsync(new Uri("/docs", UriKind.Relative), TestContext.Current.CancellationToken);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotMatch("(https?:)?//[a-zA-Z]", page);
    }

    [Fact]
    public async Task The_page_loads_everything_from_this_service()
    {
        using var answer = await service.Http.GetAsync(new Uri("/docs", UriKind.Relative), TestContext.Current.CancellationToken);
        var address = answer.RequestMessage!.RequestUri!;
        var sources = Source().Matches(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            // The script loads the document from the root and everything else from the page's folder.
            .Select(match => new Uri(match.Groups["document"].Success ? service.Http.BaseAddress! : address, match.Groups["path"].Value))
            .ToList();

        Assert.NotEmpty(sources);
        foreach (var source in sources)
        {
            Assert.Equal(service.Http.BaseAddress!.Authority, source.Authority);
            using var script = await service.Http.GetAsync(source, TestContext.Current.CancellationToken);
            Assert.True(script.IsSuccessStatusCode, $"{source.AbsolutePath}: {script.StatusCode}");
        }
    }

    [Theory]
    [InlineData("\"withDefaultFonts\":false")]
    [InlineData("\"telemetry\":false")]
    [InlineData("\"agent\":{\"disabled\":true}")]
    [InlineData("\"mcp\":{\"disabled\":true}")]
    [InlineData("\"hideClientButton\":true")]
    [InlineData("\"showDeveloperTools\":\"never\"")]
    public async Task Features_that_call_other_hosts_are_off(string option)
    {
        var page = await service.Http.GetStringAsync(new Uri("/docs", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Contains(option, page, StringComparison.Ordinal);
    }

    [GeneratedRegex("(?:src=|href=|from |\"favicon\":|(?<document>\"url\":))[\"'](?<path>[^\"']+)[\"']")]
    private static partial Regex Source();
}
