namespace LoyaltyService.Configuration;

/// <summary>
/// One row of the table of variables, for docs/configuration.md and the reader. No part of a secret is ever printed, not even in an error about it.
/// </summary>
internal sealed record EnvironmentVariable(
    string Name, string? Default, string Required, bool IsSecret, string Description)
{
    /// <summary>The default in development and test, which needs no installed server.</summary>
    public string? DefaultOutsideProduction { get; init; }

    /// <summary>The name of the variable that names a file with the value, such as a mounted secret.</summary>
    public string FileName => Name + "_FILE";
}
