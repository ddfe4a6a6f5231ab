using System.Text;
using System.Text.Json.Nodes;
using LoyaltyService.Http;
using LoyaltyService.Loyalty;
using LoyaltyService.Queue;
using Microsoft.AspNetCore.Http;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>Binds request bodies as the service does.</summary>
internal static class RequestBodies
{
    private static readonly Dictionary<string, Func<JsonNode, Task<Rejection?>>> Readers = new()
    {
        [nameof(IdentifyRequest)] = RefusalOf<IdentifyRequest>,
        [nameof(CalculateRewardsRequest)] = RefusalOf<CalculateRewardsRequest>,
        [nameof(FinalizeRequest)] = RefusalOf<FinalizeRequest>,
        [nameof(ResolveRequest)] = RefusalOf<ResolveRequest>,
    };

    public static IEnumerable<string> Schemas => Readers.Keys;

    /// <summary>Returns null if the body is accepted.</summary>
    public static Task<Rejection?> RefusalOf(string schema, JsonNode body) => Readers[schema](body);

    private static async Task<Rejection?> RefusalOf<T>(JsonNode body)
        where T : class, IRequestBody<T>
    {
        var context = new DefaultHttpContext { Request = { ContentType = "application/json" } };
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body.ToJsonString()));
        return (await Body<T>.BindAsync(context, parameter: null!)).Rejection;
    }
}
