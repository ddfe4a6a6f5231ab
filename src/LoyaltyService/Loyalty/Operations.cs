using System.Diagnostics;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;

namespace LoyaltyService.Loyalty;

/// <summary>
/// Stands around every business operation, from its request to its answer: times it, and ends it with one line in the log, whatever
/// it ends with. The line is of the use case's category, so that the log reads as if each had written its own.
/// </summary>
internal sealed partial class Operations(LoyaltyMetrics metrics, TimeProvider clock, ILoggerFactory loggers)
{
    // The caller has gone; there is no answer, and so no code.
    private const string CallerLeft = "caller_left";

    private readonly Description identify = new("identify", loggers.CreateLogger<IdentifyCustomer>(), metrics.IdentifyDuration);
    private readonly Description calculate = new("calculate", loggers.CreateLogger<CalculateRewards>(), metrics.CalculateDuration);
    private readonly Description finalize = new("finalize", loggers.CreateLogger<FinalizeSession>(), metrics.FinalizeDuration);
    private readonly Description getStatus = new("getSessionStatus", loggers.CreateLogger<GetSessionStatus>(), Duration: null);

    public async Task<Answer<T>> RunAsync<T>(OperationKind kind, HttpContext context, Func<Operation, Task<Answer<T>>> run)
        where T : class
    {
        var started = clock.GetTimestamp();
        var operation = new Operation(kind);
        // Who turns an exception into an answer need not tell the log again.
        context.Features.Set(new FailureLogged());
        try
        {
            var answer = await run(operation);
            End(operation, started, LevelOf(kind, answer.Status, answer.Error), answer.Error?.Code ?? RequestMetrics.StatusText(answer.Status));
            return answer;
        }
        catch (LoyaltyException known)
        {
            operation.Reason = known.Message;
            End(operation, started, LevelOf(kind, known.Code.Status, known.Code), known.Code.Code, known.InnerException?.Message);
            throw;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            End(operation, started, LogLevel.Information, CallerLeft);
            throw;
        }
        // A defect, whatever it is: told here, answered by the exception handler.
        catch (Exception defect)
        {
            End(operation, started, LogLevel.Error, HttpErrors.InternalError.Code, defect: defect);
            throw;
        }
    }

    private void End(Operation operation, long started, LogLevel level, string outcome, string? cause = null, Exception? defect = null)
    {
        var took = clock.GetElapsedTime(started);
        var (name, logger, duration) = Describe(operation.Kind);
        duration?.Record(took);
        if (Activity.Current is { IsAllDataRequested: true } span)
            span.SetTag("loyalty.operation", name).SetTag("loyalty.outcome", outcome).SetTag("loyalty.session_id", operation.SessionId);
        Log.OperationEnded(
            logger, level, name, outcome, operation.SessionId, operation.CustomerId, (long)took.TotalMilliseconds, operation.EarnedPoints,
            operation.RedeemedPoints, operation.Reason, cause, defect);
    }

    /// <summary>Done is information, accepted or refused a warning; what somebody has to look after is an error.</summary>
    private static LogLevel LevelOf(OperationKind kind, int status, ErrorCode? error) => (status, error) switch
    {
        _ when error == HttpErrors.InternalError || error == PdiErrors.AuthFailed => LogLevel.Error,
        ( < StatusCodes.Status500InternalServerError, _) when kind is OperationKind.GetStatus => LogLevel.Debug,
        (StatusCodes.Status202Accepted or >= StatusCodes.Status400BadRequest, _) => LogLevel.Warning,
        _ => LogLevel.Information,
    };

    private Description Describe(OperationKind kind) => kind switch
    {
        OperationKind.Identify => identify,
        OperationKind.Calculate => calculate,
        OperationKind.Finalize => finalize,
        OperationKind.GetStatus => getStatus,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown operation."),
    };

    private sealed record Description(string Name, ILogger Logger, DurationHistogram? Duration);

    private static partial class Log
    {
        [LoggerMessage(EventName = "OperationEnded", Message = "{operation} ended with {outcome}")]
        public static partial void OperationEnded(
            ILogger logger, LogLevel level, string operation, string outcome, string? sessionId, [CustomerIdentity] string? customerId, long duration,
            long? earnedPoints, long? redeemedPoints, string? reason, string? cause, Exception? exception);
    }
}
