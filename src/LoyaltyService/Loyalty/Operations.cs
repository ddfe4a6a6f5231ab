using System.Diagnostics;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;

namespace LoyaltyService.Loyalty;

/// <summary>
/// Times every business operation and logs one line at its end, whatever the outcome. The line has the use case's category, so that the log
/// reads as if each use case had written its own.
/// </summary>
internal sealed partial class Operations(LoyaltyMetrics metrics, TimeProvider clock, ILoggerFactory loggers)
{
    // The caller has disconnected: no response, and so no code.
    private const string CallerLeft = "caller_left";

    private readonly Description identify = new("identify", "Identify", "Customer identified", loggers.CreateLogger<IdentifyCustomer>(), metrics.IdentifyDuration);
    private readonly Description calculate = new("calculate", "Calculate", "Rewards calculated", loggers.CreateLogger<CalculateRewards>(), metrics.CalculateDuration);
    private readonly Description finalize = new("finalize", "Finalize", "Session finalized successfully", loggers.CreateLogger<FinalizeSession>(), metrics.FinalizeDuration);
    private readonly Description getStatus = new("getSessionStatus", "Read", "Session read", loggers.CreateLogger<GetSessionStatus>(), Duration: null);

    public async Task<Answer<T>> RunAsync<T>(OperationKind kind, HttpContext context, Func<Operation, Task<Answer<T>>> run)
        where T : class
    {
        var started = clock.GetTimestamp();
        var operation = new Operation(kind);
        // The exception handler must not log the failure again.
        context.Features.Set(new FailureLogged());
        try
        {
            var answer = await run(operation);
            End(operation, started, LevelOf(kind, answer.Status, answer.Error), answer.Status, answer.Error?.Code ?? RequestMetrics.StatusText(answer.Status));
            return answer;
        }
        catch (LoyaltyException known)
        {
            operation.Reason = known.Message;
            End(operation, started, LevelOf(kind, known.Code.Status, known.Code), known.Code.Status, known.Code.Code, known.InnerException?.Message);
            throw;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            End(operation, started, LogLevel.Information, StatusCodes.Status499ClientClosedRequest, CallerLeft);
            throw;
        }
        // Any defect: logged here, turned into a response by the exception handler.
        catch (Exception defect)
        {
            End(operation, started, LogLevel.Error, StatusCodes.Status500InternalServerError, HttpErrors.InternalError.Code, defect: defect);
            throw;
        }
    }

    private void End(Operation operation, long started, LogLevel level, int status, string outcome, string? cause = null, Exception? defect = null)
    {
        var took = clock.GetElapsedTime(started);
        var described = Describe(operation.Kind);
        described.Duration?.Record(took);
        if (Activity.Current is { IsAllDataRequested: true } span)
            span.SetTag("loyalty.operation", described.Name).SetTag("loyalty.outcome", outcome).SetTag("loyalty.session_id", operation.SessionId);
        Log.OperationEnded(
            described.Logger, level, MessageOf(described, status), described.Name, outcome, operation.SessionId, operation.CustomerId, (long)took.TotalMilliseconds, operation.EarnedPoints,
            operation.RedeemedPoints, operation.Reason, cause, defect);
    }

    private static string MessageOf(Description operation, int status) => status switch
    {
        StatusCodes.Status202Accepted => $"{operation.Title} accepted, waiting for PDI",
        < StatusCodes.Status400BadRequest => operation.Done,
        StatusCodes.Status499ClientClosedRequest => $"{operation.Title} abandoned by the caller",
        < StatusCodes.Status500InternalServerError => $"{operation.Title} rejected",
        _ => $"{operation.Title} failed",
    };

    /// <summary>A success is information; accepted or rejected is a warning; an error needs an operator or a developer.</summary>
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

    /// <param name="Name">For the log, the span and the metrics.</param>
    /// <param name="Title">The operation as a message begins with it.</param>
    /// <param name="Done">The message of a success.</param>
    private sealed record Description(string Name, string Title, string Done, ILogger Logger, DurationHistogram? Duration);

    private static partial class Log
    {
        [LoggerMessage(EventName = "OperationEnded", Message = "Operation ended")]
        public static partial void OperationEnded(
            ILogger logger, LogLevel level, string message, string operation, string outcome, string? sessionId, [CustomerIdentity] string? customerId, long duration,
            long? earnedPoints, long? redeemedPoints, string? reason, string? cause, Exception? exception);
    }
}
