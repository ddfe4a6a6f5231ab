using System.Text.RegularExpressions;
using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed partial class DocumentationTests
{
    [Fact]
    public void The_documented_table_matches_the_code()
    {
        var documented = Repository.ReadAllLines("docs/configuration.md")
            .SkipWhile(line => line != "| Variable | Required | Default | Description |")
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'));

        Assert.Equal(EnvironmentVariables.All.Select(Row), documented);
    }

    [Fact]
    public void The_example_lists_every_variable()
    {
        var listed = Repository.ReadAllLines(".env.example").Select(line => Assignment().Match(line)).Where(match => match.Success);

        Assert.Equal(EnvironmentVariables.All.Select(variable => variable.Name), listed.Select(match => match.Groups["name"].Value));
    }

    [Fact]
    public void The_example_shows_the_defaults()
    {
        var values = Example(includeComments: true);

        Assert.All(
            EnvironmentVariables.All.Where(variable => variable.Default is not null && variable != EnvironmentVariables.NodeEnv),
            variable => Assert.Equal(variable.Default, values[variable.Name]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_example_works_with_and_without_its_commented_lines(bool includeComments) =>
        Assert.Equal(AppEnvironment.Development, Given.Read(Example(includeComments)).Environment);

    private static Dictionary<string, string?> Example(bool includeComments) =>
        Repository.ReadAllLines(".env.example")
            .Where(line => includeComments || !line.StartsWith('#'))
            .Select(line => Assignment().Match(line))
            .Where(match => match.Success)
            .ToDictionary(match => match.Groups["name"].Value, string? (match) => match.Groups["value"].Value);

    private static string Row(EnvironmentVariable variable)
    {
        var standard = variable switch
        {
            { Default: { } value } => $"`{value}`",
            { DefaultOutsideProduction: { } value } => $"`{value}` outside production",
            _ => "–",
        };
        return $"| `{variable.Name}` | {variable.Required} | {standard} | {variable.Description} |";
    }

    [GeneratedRegex("^#?(?<name>[A-Z][A-Z0-9_]*)=(?<value>.*)$")]
    private static partial Regex Assignment();
}
