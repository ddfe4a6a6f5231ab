using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LoyaltyService.Privacy;
using Microsoft.Extensions.Compliance.Classification;
using Microsoft.Extensions.Logging;

namespace LoyaltyService.Tests.Observability;

/// <summary>
/// Keeps personal and secret data out of logs. Every text in a record and every log parameter must be marked or on a list of harmless
/// names. A new one that is neither fails these tests.
/// </summary>
public sealed class DataClassTests
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // Facts about the service, and internal keys that identify no person.
    private static readonly HashSet<string> HarmlessParameters =
    [
        "String action", "String atPdi", "Int32 attempt", "Int32 attempts", "String cause", "Int64 checked", "String client", "String code", "Int32 count",
        "String day", "String dependency", "Int64 duration", "Int64 earnedPoints", "Nullable<Int64> earnedPoints", "Exception exception", "Int64 found",
        "BreakerState from", "String from", "Int64 handled", "String here", "Double hours", "String hours", "String job", "String kind", "ILogger logger", "LogLevel level", "String mail", "String message", "String news", "DateTime notAfter",
        "String operation", "String outcome", "String pdiCode", "String problem", "String reason", "String recipient", "Int64 redeemedPoints", "Nullable<Int64> redeemedPoints",
        "Int32 retry", "String route", "Double seconds", "String sessionId", "String sqlState", "CheckStatus status", "String status", "String target",
        "BreakerState to", "String to", "DateTimeOffset until",
    ];

    // Names with one meaning everywhere.
    private static readonly HashSet<string> HarmlessMembers =
    [
        "Action", "Advice", "After", "ApiKeysFile", "ApplicationName", "AtPdi", "Category", "Cause", "Certificate", "ChannelId", "CircuitBreaker",
        "AnnouncedBy", "Client", "Code", "CurrentStatus", "Day", "Event", "FailureReason", "Field", "FileName", "Here", "Host", "Id", "Job", "JwtAudience", "Kind",
        "Level", "Limit", "Next", "Operation", "Outcome", "PdiClientId", "PdiCode", "PdiIdentifyKey", "PdiSessionId", "ReceiptId", "Required",
        "ResolvedBy", "RewardSource", "RootCertificate", "Schedule", "SessionId", "Sku", "SqlitePath", "Status", "StoreId", "Target",
        "TargetSessionAttributes", "Tier", "Title", "TraceId", "TransactionId", "User", "Variable",
    ];

    // Ambiguous names, harmless in these places.
    private static readonly HashSet<string> HarmlessHere =
    [
        "CalculateRewardsResponse.Source", "CustomerMetadata.Parameter", "DayRecord.Counts", "ConfigurationError.Description", "CreateKey.Entry", "Description.Done", "Description.Name", "EnvironmentVariable.Default",
        "EnvironmentVariable.DefaultOutsideProduction", "EnvironmentVariable.Description", "EnvironmentVariable.Name", "FailureResponse.Reason",
        "FieldError.Message", "HealthReport.Commit", "HealthReport.Version", "JobItem.Name", "JobRunItem.Error", "JobRunRow.Error", "JobRunRow.Progress", "ListSessionsQuery.From",
        "ListSessionsQuery.To", "KnownValue.Value", "MaintenanceItem.Reason", "MaintenanceRequest.From", "MaintenanceRequest.Reason",
        "MaintenanceRequest.Until", "MaintenanceWindow.Reason", "Notification.Html", "Notification.Key", "Notification.Subject", "Notification.Text",
        "OutgoingMail.Html", "OutgoingMail.Key", "OutgoingMail.OnlyTo", "OutgoingMail.Subject", "OutgoingMail.Text", "RefusedRecipient.Address", "RefusedRecipient.Reason", "SessionSum.Reason", "Settings.HttpsCertificate",
        "Settings.HttpsKey", "Settings.RateLimitClients", "PdiWorkRow.LastError", "PostgresQuery`1.Statement", "PostgresUrl.Database", "PostgresUrl.Key", "PostgresUrl.Options", "ParseError.Description", "AuditAction.Name",
        "Problem.Type", "QueueItem.LastError", "SessionChange.Detail", "SessionEventRow.Detail", "SessionFailure.Reason", "TimelineEntry.Detail",
    ];

    private static readonly Type[] Types = [.. typeof(Program).Assembly.GetTypes().Where(type => type.Namespace?.StartsWith("LoyaltyService", StringComparison.Ordinal) is true)];

    private static readonly List<Type> Records = [.. Types.Where(type => type.GetMethod("PrintMembers", Any) is not null)];

    [Fact]
    public void Log_parameters_are_harmless_or_the_customerId()
    {
        var parameters = Types.SelectMany(type => type.GetMethods(Any))
            .Where(method => method.IsDefined(typeof(LoggerMessageAttribute)))
            .SelectMany(method => method.GetParameters())
            .ToList();

        Assert.True(parameters.Count > 50, "There are no log lines.");
        Assert.All(parameters, parameter =>
        {
            if (ClassOf(parameter) is { } marked)
                Assert.Equal((DataClasses.CustomerIdentity, "customerId"), (marked, parameter.Name));
            else
                Assert.True(HarmlessParameters.Contains(Describe(parameter)), $"{parameter.Member.DeclaringType!.DeclaringType?.Name}.{parameter.Member.Name}: {Describe(parameter)} is not known to be harmless.");
        });
    }

    [Fact]
    public void No_log_message_contains_the_customers_id() => Assert.All(
        Types.SelectMany(type => type.GetMethods(Any)).Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()?.Message).OfType<string>(),
        message => Assert.DoesNotContain("{customerId}", message, StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void Every_text_in_a_record_is_marked_or_harmless()
    {
        var texts = Records.SelectMany(type => type.GetProperties(Any)).Where(member => member.Name != "EqualityContract" && MayHoldText(member.PropertyType)).ToList();

        Assert.True(texts.Count > 100, "There are no records.");
        var unknown = texts.Where(member => ClassOf(member) is null && !HarmlessMembers.Contains(member.Name) && !HarmlessHere.Contains($"{member.DeclaringType!.Name}.{member.Name}"))
            .Select(member => $"{member.DeclaringType!.Name}.{member.Name}").Order().ToList();
        Assert.True(unknown.Count == 0, $"Neither marked nor known to be harmless: {string.Join(", ", unknown)}");
    }

    [Fact]
    public void A_record_prints_all_members_but_the_marked_ones()
    {
        var marked = Records.Where(type => !type.IsAbstract && type.GetProperties(Any).Any(member => ClassOf(member) is not null)).ToList();

        Assert.True(marked.Count > 15, "There are no marked records.");
        Assert.All(marked, type =>
        {
            var record = RuntimeHelpers.GetUninitializedObject(type);
            foreach (var member in type.GetProperties(Any).Where(member => member.PropertyType == typeof(string)))
                type.GetField($"<{member.Name}>k__BackingField", Any)?.SetValue(record, ClassOf(member) is null ? "shown" : "HUSH");
            // The members that the printing itself needs.
            foreach (var list in type.GetProperties(Any).Where(member => typeof(IEnumerable).IsAssignableFrom(member.PropertyType) && member.PropertyType.IsGenericType))
                type.GetField($"<{list.Name}>k__BackingField", Any)?.SetValue(record, Empty(list.PropertyType.GetGenericArguments()));

            Assert.DoesNotContain("HUSH", record.ToString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Unmarked_members_are_printed()
    {
        var printed = new LoyaltyService.Loyalty.IdentifyResponse("sess_1", "active", "Jöhn Dœ", 5000, "Gold", 2, default).ToString();

        Assert.Contains("SessionId = sess_1", printed, StringComparison.Ordinal);
        Assert.Contains("CurrentPoints = 5000", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("Jöhn", printed, StringComparison.Ordinal);
    }

    private static object Empty(Type[] of) =>
        of is [var item] ? Array.CreateInstance(item, 0) : Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(of))!;

    private static bool MayHoldText(Type type) =>
        type == typeof(string) || type == typeof(byte[]) || type == typeof(object) || type == typeof(JsonElement) || type == typeof(JsonElement?)
        || (type != typeof(string) && type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) && type.GetGenericArguments().Any(MayHoldText));

    private static DataClassification? ClassOf(ICustomAttributeProvider provider) =>
        provider.GetCustomAttributes(typeof(DataClassificationAttribute), inherit: true) is [DataClassificationAttribute attribute, ..] ? attribute.Classification : null;

    private static string Describe(ParameterInfo parameter) =>
        $"{(Nullable.GetUnderlyingType(parameter.ParameterType) is { } inner ? $"Nullable<{inner.Name}>" : parameter.ParameterType.Name)} {parameter.Name}";
}
