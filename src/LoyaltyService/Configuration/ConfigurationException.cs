using System.Globalization;

namespace LoyaltyService.Configuration;

/// <summary>What is wrong with one variable, and what to write instead.</summary>
internal sealed record ConfigurationError(string Variable, string Description);

/// <summary>Everything that is wrong with the configuration, at once: an operator should not have to restart for each mistake.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(Describe(errors))
{
    /// <summary>EX_CONFIG of sysexits.h: starting again will not help before somebody changes the configuration.</summary>
    public const int ExitCode = 78;

    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;

    public void Write(TextWriter writer) => writer.WriteLine(Message);

    private static string Describe(IReadOnlyList<ConfigurationError> errors)
    {
        var count = errors.Count == 1 ? "1 error" : string.Create(CultureInfo.InvariantCulture, $"{errors.Count} errors");
        return string.Join(
            Environment.NewLine,
            errors.Select(error => $"  {error.Variable}: {error.Description}").Prepend($"The configuration is not usable; {count}:"));
    }
}
