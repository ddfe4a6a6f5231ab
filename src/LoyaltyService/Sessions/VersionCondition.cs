using System.Globalization;
using LoyaltyService.Http;

namespace LoyaltyService.Sessions;

/// <summary>
/// The version that the caller decided on, from the body's <c>version</c> or from <c>If-Match</c>; without one, only the status protects the session.
/// </summary>
internal readonly record struct VersionCondition(int? FromBody, int? FromHeader)
{
    /// <summary>Reads <c>If-Match</c>: one entity tag, or <c>*</c> for any version.</summary>
    public static bool TryRead(string? ifMatch, int? fromBody, out VersionCondition condition)
    {
        condition = new VersionCondition(fromBody, null);
        if (string.IsNullOrEmpty(ifMatch) || ifMatch == "*")
            return true;
        if (ifMatch.Length < 3 || ifMatch[0] != '"' || ifMatch[^1] != '"'
            || !int.TryParse(ifMatch.AsSpan(1, ifMatch.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            return false;
        condition = new VersionCondition(fromBody, version);
        return true;
    }

    /// <summary>Null if the session has this version; otherwise 412 for the header, 409 for the body.</summary>
    public Rejection? Check(Session session)
    {
        if (FromHeader is { } header && header != session.Version)
            return Conflict(SessionErrors.PreconditionFailed, header, session);
        if (FromBody is { } body && body != session.Version)
            return Conflict(SessionErrors.VersionConflict, body, session);
        return null;
    }

    private static Rejection Conflict(ErrorCode error, int sent, Session session) =>
        new(error, $"The request is about version {sent}; the session has version {session.Version}.")
        {
            SessionId = SessionId.Format(session.Id),
            CurrentStatus = session.Status.ToText(),
            CurrentVersion = session.Version,
        };
}
