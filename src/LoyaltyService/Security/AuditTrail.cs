using System.Data.Common;
using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>
/// Writes down what no transaction of its own writes down: actions outside the database, and those that came to nothing. An audit that
/// cannot be written stops neither: the level of the log is changed above all when the database is the trouble. The log then says who.
/// </summary>
internal sealed partial class AuditTrail(IAuditStore store, ILogger<AuditTrail> logger)
{
    public async Task<bool> TryWriteAsync(AuditEntry entry)
    {
        try
        {
            await store.WriteAsync(entry, CancellationToken.None);
            return true;
        }
        // Whatever the database has against it.
        catch (Exception unusable) when (unusable is LoyaltyException or DbException)
        {
            Log.NotWritten(logger, entry.Action.Name, entry.Target, entry.Outcome, entry.By.Client, unusable.Message);
            return false;
        }
    }

    /// <summary>For an action that came to nothing: why is its outcome.</summary>
    public async Task<Rejection> RefusedAsync(AuditEntry entry, Rejection rejection)
    {
        await TryWriteAsync(entry.RefusedWith(rejection.Error.Code));
        return rejection;
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "AuditNotWritten", Level = LogLevel.Error, Message = "Not in the audit: {action} of {target} by {client}, {outcome}: {reason}")]
        public static partial void NotWritten(ILogger logger, string action, string? target, string outcome, string client, string reason);
    }
}
