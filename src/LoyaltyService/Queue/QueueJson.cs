using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Queue;

/// <summary>The JSON of the queue.</summary>
[JsonSerializable(typeof(QueueResponse))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(ResolveRequest))]
[JsonSerializable(typeof(ResolveResponse))]
internal sealed partial class QueueJson : JsonSerializerContext
{
    public static QueueJson Wire => field ??= new(WireJson.NewOptions());
}
