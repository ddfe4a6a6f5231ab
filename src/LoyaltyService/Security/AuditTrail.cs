using System.Data.Common;
using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>
/// Audits actions outside the database and rejected ones. All others write their row in their own transaction. A failed write stops no action:
/// operators change the log level most often while the database is in trouble. The log then records who did what.
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
        // Any failure of the database.
        catch (Exception unusable) when (unusable is LoyaltyException or DbException)
        {
            Log.NotWritten(logger, entry.Action.Name, entry.Target, entry.Outcome, entry.By.Client, unusable.Message);
            return false;
        }
    }

    /// <summary>Audits a rejected action, with its error code as the outcome.</summary>
    public async Task<Rejection> RefusedAsync(AuditEntry entry, Rejection rejection)
    {
        await TryWriteAsync(entry.RefusedWith(rejection.Error.Code));
        return rejection;
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "AuditNotWritten", Level = LogLevel.Error, Message = "Audit write failed: {action} of {target} by {client}, {outcome}: {reason}")]
        public static partial void NotWritten(ILogger logger, string action, string? target, string outcome, string client, string reason);
    }
}
