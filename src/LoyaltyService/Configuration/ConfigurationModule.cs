using System.Security;
using System.Text;

namespace LoyaltyService.Configuration;

internal static class ConfigurationModule
{
    // A secret or a list of keys has a few hundred bytes; the limit keeps /dev/zero from filling the memory.
    private const int MaxFileBytes = 64 * 1024;

    /// <summary>
    /// Reads the environment through the builder's configuration, so that tests and other hosts can put values of their own in front,
    /// and registers the outcome.
    /// </summary>
    /// <exception cref="ConfigurationException">Something is missing or wrong; it lists everything that is.</exception>
    public static Settings AddEnvironmentConfiguration(this WebApplicationBuilder builder)
    {
        var settings = SettingsReader.Read(Environment(name => builder.Configuration[name]), ReadFile);
        builder.Environment.EnvironmentName = settings.Environment.ToString();
        builder.Services.AddSingleton(settings);
        return settings;
    }

    /// <summary>All that <see cref="ReadFile"/> can throw for a file of any name.</summary>
    internal static bool IsUnreadable(Exception exception) => exception is IOException or UnauthorizedAccessException or SecurityException
        or ArgumentException or NotSupportedException or InvalidDataException;

    /// <summary>What the service reads of an environment, by name, and no other variable.</summary>
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
