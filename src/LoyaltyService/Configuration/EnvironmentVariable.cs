namespace LoyaltyService.Configuration;

/// <summary>
/// One row of the table of variables: what docs/configuration.md says and what the reader does. Of a secret no part is ever printed, not even
/// in an error about it.
/// </summary>
internal sealed record EnvironmentVariable(
    string Name, string? Default, string Required, bool IsSecret, string Description)
{
    /// <summary>What stands in for a missing value in development and test, where no server should have to be installed.</summary>
    public string? DefaultOutsideProduction { get; init; }

    /// <summary>The name of the variable that names a file with the value, such as a mounted secret.</summary>
    public string FileName => Name + "_FILE";
}
