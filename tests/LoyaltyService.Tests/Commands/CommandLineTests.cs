using System.CommandLine;
using LoyaltyService.Commands;
using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Commands;

public sealed class CommandLineTests
{
    public static TheoryData<string> AllCommands => [.. Names(CommandLine.Compose(), "")];

    [Fact]
    public void The_commands_are_complete() => Assert.Equal(
        ["check-config", "healthcheck", "job", "key", "key create", "migrate", "serve", "smoke"], Names(CommandLine.Compose(), "").Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(AllCommands))]
    public async Task Each_command_explains_itself(string command)
    {
        var (exitCode, output, error) = await RunAsync([.. command.Split(' '), "--help"]);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains($"LoyaltyService {command}", output, StringComparison.Ordinal);
        Assert.Equal(command != "key", output.Contains("Exit codes:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task The_help_of_the_program_names_each_command(string word)
    {
        var (exitCode, output, error) = await RunAsync(word);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.All(CommandLine.Compose().Subcommands, command => Assert.Contains($"  {command.Name} ", output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_help_of_serve_lists_each_variable()
    {
        var (_, output, _) = await RunAsync("serve", "--help");

        Assert.All(EnvironmentVariables.All, variable => Assert.Contains($"  {variable.Name} ", output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("brew", "LoyaltyService [command]")]
    [InlineData("migrat", "migrate")]
    [InlineData("-x", "LoyaltyService [command]")]
    [InlineData("@commands.txt", "LoyaltyService [command]")]
    [InlineData("migrate --dry", "LoyaltyService migrate")]
    [InlineData("check-config now", "LoyaltyService check-config")]
    [InlineData("healthcheck now", "LoyaltyService healthcheck")]
    [InlineData("job clear-cache now", "LoyaltyService job")]
    [InlineData("key", "LoyaltyService key")]
    [InlineData("key create", "LoyaltyService key create")]
    [InlineData("key create till --scope everything", "LoyaltyService key create")]
    public async Task Wrong_arguments_exit_with_64_and_show_the_help_as_an_error(string words, string help)
    {
        var (exitCode, output, error) = await RunAsync(words.Split(' '));

        Assert.Equal((ExitCodes.Usage, ""), (exitCode, output));
        Assert.Contains(help, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--urls http://127.0.0.1:1", "--urls", "http://127.0.0.1:1")]
    [InlineData("--urls=http://127.0.0.1:1 --help", "--urls=http://127.0.0.1:1", "--help")]
    [InlineData("--Key job", "--Key", "job")]
    public void Options_without_a_command_are_the_hosts(string words, params string[] expected)
    {
        var parsed = CommandLine.Parse(words.Split(' '));

        Assert.Equal(("serve", 0), (parsed.CommandResult.Command.Name, parsed.Errors.Count));
        Assert.Equal(expected, parsed.GetValue<string[]>("host-option"));
    }

    private static IEnumerable<string> Names(Command command, string prefix) =>
        command.Subcommands.SelectMany(child => Names(child, $"{prefix}{child.Name} ").Prepend($"{prefix}{child.Name}"));

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] words)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(words, new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
