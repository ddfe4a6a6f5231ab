using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Security;

namespace LoyaltyService.Logging;

/// <summary>Changes what is logged, until the process ends.</summary>
/// <param name="Level">The lowest level that is logged.</param>
internal sealed record LogLevelRequest(string? Level) : IRequestBody<LogLevelRequest>
{
    public static JsonTypeInfo<LogLevelRequest> Json => LoggingJson.Wire.LogLevelRequest;

    public void Validate(ICollection<FieldError> errors)
    {
        if (LogLevelSwitch.Parse(Level) is null)
            errors.Add(new FieldError("level", "must be debug, info, warn or error."));
    }

    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("log-level");
        fingerprint.Add(Level);
        return fingerprint.ToGuid();
    }
}

/// <param name="Level">The lowest level that is logged from now on.</param>
internal sealed record LogLevelResponse(string Level);

/// <summary>An operator looks closer, or has seen enough. Of this process alone: each replica has its own level.</summary>
internal sealed partial class ChangeLogLevel(LogLevelSwitch level, AuditTrail audit, ILogger<ChangeLogLevel> logger)
{
    public static readonly AuditAction Action = new("log-level.change");

    public async Task<Answer<LogLevelResponse>> RunAsync(LogLevelRequest request, Operator by)
    {
        await audit.TryWriteAsync(new AuditEntry(by, Action, Environment.MachineName, Detail: request.Level));
        var before = level.Minimum;
        var after = LogLevelSwitch.Parse(request.Level)!.Value;
        level.Minimum = after < before ? after : before;
        // While the lower of the two counts, so that the log says where it grows thin, too.
        Log.LevelChanged(logger, LogLevelSwitch.ToText(before), LogLevelSwitch.ToText(after), by.Client);
        level.Minimum = after;
        return Answer<LogLevelResponse>.Of(StatusCodes.Status200OK, new LogLevelResponse(LogLevelSwitch.ToText(after)), LoggingJson.Wire.LogLevelResponse);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "LogLevelChanged", Level = LogLevel.Warning, Message = "Log level changed from {from} to {to} by {client}")]
        public static partial void LevelChanged(ILogger logger, string from, string to, string client);
    }
}
