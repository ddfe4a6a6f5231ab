using System.Diagnostics.CodeAnalysis;

namespace LoyaltyService.Sessions;

/// <summary>
/// A session's id on the wire: <c>sess_</c> and 32 hexadecimal digits of a random UUID (version 4, 122 random bits). Callers cannot guess it, and
/// it spreads evenly over the index, which keeps serializable isolation cheap.
/// </summary>
internal static class SessionId
{
    private const string Prefix = "sess_";

    public static Guid New() => Guid.NewGuid();

    public static string Format(Guid id) => string.Concat(Prefix, id.ToString("N"));

    /// <summary>Where a caller reads the session.</summary>
    public static string Location(Guid id) => "/loyalty/sessions/" + Format(id);

    public static bool TryParse([NotNullWhen(true)] string? text, out Guid id)
    {
        id = Guid.Empty;
        return text is not null
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && Guid.TryParseExact(text.AsSpan(Prefix.Length), "N", out id)
            // One spelling per session: upper-case digits would be a second id of the same row.
            && string.Equals(Format(id), text, StringComparison.Ordinal);
    }
}
