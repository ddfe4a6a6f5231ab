using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Logging;

/// <summary>The JSON of the log level.</summary>
[JsonSerializable(typeof(LogLevelRequest))]
[JsonSerializable(typeof(LogLevelResponse))]
internal sealed partial class LoggingJson : JsonSerializerContext
{
    public static LoggingJson Wire => field ??= new(WireJson.NewOptions());
}
