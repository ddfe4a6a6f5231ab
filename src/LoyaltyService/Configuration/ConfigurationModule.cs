using System.Security;
using System.Text;

namespace LoyaltyService.Configuration;

internal static class ConfigurationModule
{
    // A secret or a list of keys has a few hundred bytes; the limit keeps /dev/zero from filling the memory.
    private const int MaxFileBytes = 64 * 1024;

    /// <summary>
    /// Reads the environment through the builder's configuration, so that tests and other hosts can override values, and registers the settings.
    /// </summary>
    /// <exception cref="ConfigurationException">Lists every missing or wrong value.</exception>
    public static Settings AddEnvironmentConfiguration(this WebApplicationBuilder builder)
    {
        var settings = SettingsReader.Read(Environment(name => builder.Configuration[name]), ReadFile);
        builder.Environment.EnvironmentName = settings.Environment.ToString();
        builder.Services.AddSingleton(settings);
        return settings;
    }

    /// <summary>Every exception that <see cref="ReadFile"/> can throw.</summary>
    internal static bool IsUnreadable(Exception exception) => exception is IOException or UnauthorizedAccessException or SecurityException
        or ArgumentException or NotSupportedException or InvalidDataException;

    /// <summary>The service's variables in an environment, by name.</summary>
    internal static Dictionary<string, string?> Environment(Func<string, string?> find) => EnvironmentVariables.All
        .SelectMany(variable => new[] { variable.Name, variable.FileName })
        .Append(EnvironmentVariables.AspNetCoreEnvironment)
        .ToDictionary(name => name, find, StringComparer.Ordinal);

    internal static string ReadFile(string path)
    {
        using var stream = File.OpenRead(path);
        var bytes = new byte[MaxFileBytes + 1];
        var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > MaxFileBytes)
            throw new InvalidDataException("The file is longer than a value can be.");

        // Strict: a replacement character in a secret would only be noticed at the server.
        using var reader = new StreamReader(new MemoryStream(bytes, 0, length), new UTF8Encoding(false, throwOnInvalidBytes: true));
        return reader.ReadToEnd();
    }
}
