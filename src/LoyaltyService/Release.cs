using System.Reflection;

namespace LoyaltyService;

/// <summary>Which release this is: the version of Directory.Build.props, and the commit that it was built from.</summary>
internal static class Release
{
    // version+commit; the build adds the commit where it knows it.
    private static readonly string[] Parts = typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+', 2);

    public static string Version => Parts[0];

    public static string Commit => Parts.ElementAtOrDefault(1) ?? "unknown";
}
