using System.Globalization;

namespace LoyaltyService.Configuration;

/// <summary>An error of one variable, with what to write instead.</summary>
internal sealed record ConfigurationError(string Variable, string Description);

/// <summary>All configuration errors at once, so that an operator need not restart for each.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(Describe(errors))
{
    /// <summary>EX_CONFIG of sysexits.h: a restart does not help until the configuration changes.</summary>
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
