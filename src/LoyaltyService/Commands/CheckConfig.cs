using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary><c>check-config</c>: reads the environment as the start does and says what it comes to. Connects to nothing.</summary>
internal static class CheckConfig
{
    /// <exception cref="ConfigurationException">The start would end with it too.</exception>
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

    // What comes from a file is a secret more often than not, and is not shown.
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
