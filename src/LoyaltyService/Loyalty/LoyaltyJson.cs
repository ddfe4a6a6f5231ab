using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoyaltyService.Health;
using LoyaltyService.Http;
using LoyaltyService.Jobs;
using LoyaltyService.Logging;
using LoyaltyService.Notifications;
using LoyaltyService.Queue;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>
/// JSON in and out. Strict in: unknown members, duplicate members, comments, trailing commas, numbers in quotes and members of
/// another case are errors, so that a till's mistake is told on its first day and not when the points are missing.
/// </summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    MaxDepth = 32,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(IdentifyRequest))]
[JsonSerializable(typeof(IdentifyResponse))]
[JsonSerializable(typeof(CalculateRewardsRequest))]
[JsonSerializable(typeof(CalculateRewardsResponse))]
[JsonSerializable(typeof(FinalizeRequest))]
[JsonSerializable(typeof(FinalizeResponse))]
[JsonSerializable(typeof(SessionResponse))]
[JsonSerializable(typeof(QueueResponse))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(ResolveRequest))]
[JsonSerializable(typeof(ResolveResponse))]
[JsonSerializable(typeof(SessionsResponse))]
[JsonSerializable(typeof(EventsResponse))]
[JsonSerializable(typeof(ReconciliationResponse))]
[JsonSerializable(typeof(FindingItem))]
[JsonSerializable(typeof(JobsResponse))]
[JsonSerializable(typeof(JobRunItem))]
[JsonSerializable(typeof(MaintenanceRequest))]
[JsonSerializable(typeof(MaintenanceItem))]
[JsonSerializable(typeof(MaintenanceResponse))]
[JsonSerializable(typeof(LogLevelRequest))]
[JsonSerializable(typeof(LogLevelResponse))]
[JsonSerializable(typeof(AuditResponse))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(DependencyReport))]
internal sealed partial class LoyaltyJson : JsonSerializerContext
{
    /// <summary>As the options above say, and apostrophes stay as they are: the answers are JSON, never a part of a page.</summary>
    public static LoyaltyJson Wire =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>Times as ISO 8601 in UTC with milliseconds, <c>2025-03-16T14:30:45.123Z</c>: the same text from every database.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[24];
        value.UtcDateTime.TryFormat(text, out var written, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..written]);
    }
}
