using System.CommandLine;
using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary><c>check-config</c>: reads the environment as <c>serve</c> does. Connects to nothing.</summary>
internal static class CheckConfigCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("check-config", "Checks the configuration and prints the value of each variable, without secrets. Connects to nothing.")
        {
            Variables = DocumentedCommand.AllVariables,
            Exits = [(0, "The configuration is usable."), (ConfigurationException.ExitCode, "The configuration is not usable; standard error lists every mistake.")],
        };
        command.SetAction(static parsed => RunAsync(Environment.GetEnvironmentVariable, parsed.InvocationConfiguration.Output));
        return command;
    }

    /// <exception cref="ConfigurationException"><c>serve</c> would refuse the environment too.</exception>
    public static async Task<int> RunAsync(Func<string, string?> find, TextWriter output)
    {
        var environment = ConfigurationModule.Environment(find);
        var settings = SettingsReader.Read(environment, ConfigurationModule.ReadFile);
        var lookup = new VariableLookup(environment, ConfigurationModule.ReadFile);
        foreach (var variable in EnvironmentVariables.All)
            await output.WriteLineAsync($"{variable.Name,-31}{Describe(variable, lookup, settings.Environment)}");
        await output.WriteLineAsync($"The configuration is usable, for {settings.Environment.ToString().ToLowerInvariant()}.");
        return 0;
    }

    // A value from a file is usually a secret.
    private static string Describe(EnvironmentVariable variable, VariableLookup lookup, AppEnvironment environment)
    {
        if (lookup.Given(variable.FileName) is { } file)
            return $"from {file}";
        if (lookup.Given(variable.Name) is { } value)
            return variable.IsSecret || value.Contains('@') ? "(secret)" : value;
        var standard = environment is AppEnvironment.Production ? variable.Default : variable.Default ?? variable.DefaultOutsideProduction;
        return standard is null ? "–" : $"{standard} (default)";
    }
}
