using LoyaltyService.Http;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.OpenApi;

[Collection(ReadingTests.Name)]
public sealed class ErrorsPageTests(RunningService service)
{
    [Fact]
    public void The_error_table_matches_the_code()
    {
        var documented = Repository.ReadAllLines("docs/errors.md")
            .SkipWhile(line => line != "| Code | Status | Title | What to do |")
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'));

        Assert.Equal(service.Errors.Select(error => $"| `{error.Code}` | {error.Status} | {error.Title} | {error.Advice} |"), documented);
    }

    [Fact]
    public void The_page_explains_every_member_of_a_problem()
    {
        var page = Repository.ReadAllText("docs/errors.md");

        Assert.All(
            HttpJson.Wire.Problem.Properties,
            member => Assert.Contains($"| `{member.Name}` |", page, StringComparison.Ordinal));
    }
}
