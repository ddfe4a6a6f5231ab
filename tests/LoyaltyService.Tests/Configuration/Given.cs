using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

/// <summary>Complete environments, so that a test states only the variables it is about.</summary>
internal static class Given
{
    public const string HashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    public const string HashB = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    public static Dictionary<string, string?> Development(params (string Name, string? Value)[] changes) =>
        With(changes, new()
        {
            ["NODE_ENV"] = "development",
            ["PDI_API_URL"] = "https://pdi.example.com/",
            ["PDI_CLIENT_ID"] = "client",
            ["PDI_CLIENT_SECRET"] = "hush-client",
        });

    public static Dictionary<string, string?> Production(params (string Name, string? Value)[] changes) =>
        With(changes, new()
        {
            ["DATABASE_URL"] = "postgresql://loyalty:hush-database@db.example.com/loyalty",
            ["REDIS_URL"] = "rediss://loyalty:hush-redis@cache.example.com",
            ["PDI_API_URL"] = "https://pdi.example.com/",
            ["PDI_CLIENT_ID"] = "client",
            ["PDI_CLIENT_SECRET"] = "hush-client",
            ["API_KEYS"] = $"till:loyalty:{HashA}",
        });

    public static Settings Read(Dictionary<string, string?> environment) => SettingsReader.Read(environment, NoFile);

    public static IReadOnlyList<ConfigurationError> ErrorsOf(Dictionary<string, string?> environment) =>
        Assert.Throws<ConfigurationException>(() => Read(environment)).Errors;

    /// <summary>Returns the only error, which must name the variable.</summary>
    public static string ErrorOf(string variable, Dictionary<string, string?> environment)
    {
        var error = Assert.Single(ErrorsOf(environment));
        Assert.Equal(variable, error.Variable);
        return error.Description;
    }

    public static string NoFile(string path) => throw new FileNotFoundException("No file is expected to be read.", path);

    private static Dictionary<string, string?> With((string Name, string? Value)[] changes, Dictionary<string, string?> environment)
    {
        foreach (var (name, value) in changes)
            environment[name] = value;
        return environment;
    }
}
