namespace LoyaltyService.Local;

internal static class LocalDefaults
{
    /// <summary>Adds defaults for variables that are set neither directly nor through NAME_FILE.</summary>
    public static void AddDefaults(this ConfigurationManager configuration, Dictionary<string, string?> defaults) =>
        configuration.AddInMemoryCollection(
            defaults.Where(variable => string.IsNullOrEmpty(configuration[variable.Key]) && string.IsNullOrEmpty(configuration[variable.Key + "_FILE"])));
}
