using System.Globalization;
using LoyaltyService.Health;
using LoyaltyService.Http;
using LoyaltyService.Jobs;
using LoyaltyService.Logging;
using LoyaltyService.Loyalty;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using Microsoft.OpenApi;

namespace LoyaltyService.OpenApi;

/// <summary>
/// The shapes that the types do not tell. A member of a request means the same in every request, so its name is enough; the checks
/// themselves are in FieldChecks and in the requests, and a test holds the limits here to what they accept and refuse.
/// </summary>
internal static class FieldShapes
{
    private static readonly Dictionary<string, Action<OpenApiSchema>> OfRequests = new()
    {
        ["customerId"] = Id,
        ["channelId"] = Id,
        ["transactionId"] = Id,
        ["storeId"] = Id,
        ["sessionId"] = Id,
        ["metadata"] = schema => schema.Type = JsonSchemaType.Object,
        ["transactionAmount"] = Amount,
        ["finalAmount"] = Amount,
        ["unitPrice"] = Amount,
        ["items"] = schema => (schema.MinItems, schema.MaxItems) = (0, 500),
        ["sku"] = Text,
        ["category"] = Text,
        ["qty"] = schema => (schema.Minimum, schema.Maximum) = ("1", "9999"),
        ["redeemPoints"] = schema => (schema.Minimum, schema.Maximum) = ("0", "99999999"),
        ["version"] = schema => schema.Minimum = "1",
        ["from"] = Time,
        ["until"] = Time,
        ["reason"] = schema => (schema.MinLength, schema.MaxLength) = (1, ResolveRequest.MaxReasonLength),
    };

    private static readonly string[] Statuses = [.. Enum.GetValues<SessionStatus>().Select(SessionStatusText.ToText)];

    private static readonly Dictionary<(Type, string), string[]> Words = new()
    {
        [(typeof(IdentifyResponse), "status")] = [SessionStatus.Active.ToText(), SessionStatus.Pending.ToText()],
        [(typeof(FinalizeResponse), "status")] = [SessionStatus.Finalized.ToText(), SessionStatus.Finalizing.ToText()],
        [(typeof(SessionResponse), "status")] = Statuses,
        [(typeof(QueueItem), "status")] = Statuses,
        [(typeof(TimelineEntry), "event")] = [SessionEventText.Created, .. Enum.GetValues<SessionEvent>().Select(SessionEventText.ToText)],
        [(typeof(TimelineEntry), "status")] = Statuses,
        [(typeof(TimelineEntry), "cause")] = [Causes.Request, Causes.Worker, Causes.Job, Causes.Operator],
        [(typeof(TimelineEntry), "rewardSource")] = ["pdi", "estimate"],
        [(typeof(SessionItem), "status")] = Statuses,
        [(typeof(FindingItem), "kind")] = [FindingKinds.MissingAtPdi, FindingKinds.AmountsDiffer, FindingKinds.FinalizedAtPdiOnly],
        [(typeof(JobRunItem), "outcome")] = ["running", "waiting", "done", "failed"],
        [(typeof(ResolveResponse), "status")] = [SessionStatus.Failed.ToText()],
        [(typeof(CalculateRewardsResponse), "source")] = ["pdi", "estimate"],
        [(typeof(LogLevelRequest), "level")] = [.. LogLevelSwitch.Words],
        [(typeof(LogLevelResponse), "level")] = [.. LogLevelSwitch.Words],
        [(typeof(AuditItem), "action")] = [.. AuditActions.All],
        [(typeof(DependencyReport), "status")] = [HealthReporter.Healthy, HealthReporter.Degraded, HealthReporter.Unhealthy],
        [(typeof(CheckReport), "status")] = [.. Enum.GetValues<CheckStatus>().Select(HealthReporter.ToText)],
        [(typeof(PdiCheckReport), "status")] = [.. Enum.GetValues<CheckStatus>().Select(HealthReporter.ToText)],
        [(typeof(PdiCheckReport), "circuitBreaker")] = [.. Enum.GetValues<BreakerState>().Select(HealthReporter.ToText)],
        [(typeof(FailureResponse), "reason")] = [SessionFailure.RejectedByPdi, SessionFailure.Expired, SessionFailure.Resolved],
    };

    /// <summary>Requests are strict: what they do not name is refused.</summary>
    public static bool IsOfRequest(Type type) => typeof(IRequestBody).IsAssignableFrom(type) || type == typeof(RewardItem);

    public static void Apply(OpenApiSchema schema, Type owner, string name)
    {
        if (IsOfRequest(owner) && OfRequests.TryGetValue(name, out var shape))
            shape(schema);
        if (Words.TryGetValue((owner, name), out var words))
            schema.Enum = [.. words];
    }

    private static void Id(OpenApiSchema schema) => schema.Pattern = "^[A-Za-z0-9._:-]{1,64}$";

    private static void Time(OpenApiSchema schema) => schema.Format = "date-time";

    private static void Text(OpenApiSchema schema) => (schema.MinLength, schema.MaxLength) = (1, 64);

    private static void Amount(OpenApiSchema schema)
    {
        // It is read by a converter, whose type nobody can see.
        schema.Type = JsonSchemaType.Number;
        schema.Minimum = "0";
        schema.Maximum = FieldChecks.MaxAmount.ToString(CultureInfo.InvariantCulture);
        schema.MultipleOf = 0.01m;
    }
}
