using System.Reflection;

namespace LoyaltyService.Configuration;

/// <summary>Which release this is: the version of Directory.Build.props, and the commit that it was built from.</summary>
internal static class Release
{
    /// <summary>version+commit; the build adds the commit where it knows it.</summary>
    public static readonly string Full = typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    private static readonly string[] Parts = Full.Split('+', 2);

    public static string Version => Parts[0];

    public static string Commit => Parts.ElementAtOrDefault(1) ?? "unknown";
}
