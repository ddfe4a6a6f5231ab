using System.Diagnostics.CodeAnalysis;

namespace LoyaltyService.Sessions;

/// <summary>
/// A session's id on the wire: <c>sess_</c> and 32 hexadecimal digits. Inside it is a random UUID (version 4, 122 random bits),
/// unguessable for callers and spread evenly over the index, which is what keeps serializable isolation cheap.
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
            // One spelling a session: upper-case digits would name the same row by a second id.
            && string.Equals(Format(id), text, StringComparison.Ordinal);
    }
}
