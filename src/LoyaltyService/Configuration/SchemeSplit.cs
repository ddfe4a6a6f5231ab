namespace LoyaltyService.Configuration;

internal static class SchemeSplit
{
    /// <returns>The text after the first of the schemes that it begins with, in any case; null when it begins with none.</returns>
    public static string? After(string text, params ReadOnlySpan<string> schemes)
    {
        foreach (var scheme in schemes)
        {
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
                return text[scheme.Length..];
        }

        return null;
    }
}
