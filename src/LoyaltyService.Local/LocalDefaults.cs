namespace LoyaltyService.Local;

internal static class LocalDefaults
{
    /// <summary>Adds values that count only where nothing else sets the variable, by itself or as NAME_FILE.</summary>
    public static void AddDefaults(this ConfigurationManager configuration, Dictionary<string, string?> defaults) =>
        configuration.AddInMemoryCollection(
            defaults.Where(variable => string.IsNullOrEmpty(configuration[variable.Key]) && string.IsNullOrEmpty(configuration[variable.Key + "_FILE"])));
}
