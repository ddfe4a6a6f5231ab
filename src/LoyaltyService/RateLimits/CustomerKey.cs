using System.Buffers;
using System.Text.Json;

namespace LoyaltyService.RateLimits;

/// <summary>Marks a route whose requests count for a customer.</summary>
/// <param name="Member">The member of the body, path or query that holds the customer's id, or the session's: a session has one customer.</param>
internal sealed record CustomerMetadata(string Member);

internal static class CustomerKey
{
    // The longest valid id; longer ones are refused later.
    private const int MaxLength = 64;

    public static TBuilder CountsForCustomer<TBuilder>(this TBuilder route, string member)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new CustomerMetadata(member));

    /// <returns>Null if the request names no customer. Its handler will refuse it.</returns>
    public static async ValueTask<string?> ReadAsync(HttpContext context, string member)
    {
        var request = context.Request;
        var id = HttpMethods.IsPost(request.Method)
            ? await PeekAsync(request, member, context.RequestAborted)
            : request.RouteValues[member] as string ?? request.Query[member].ToString();
        return id is { Length: > 0 and <= MaxLength } ? id : null;
    }

    /// <summary>Reads the body without consuming it: the handler still reads all of it.</summary>
    private static async ValueTask<string?> PeekAsync(HttpRequest request, string member, CancellationToken cancellationToken)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var id = Find(read.Buffer, member);
            reader.AdvanceTo(read.Buffer.Start);
            return id;
        }
    }

    private static string? Find(ReadOnlySequence<byte> body, string member)
    {
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 32 });
        try
        {
            if (!json.Read() || json.TokenType is not JsonTokenType.StartObject)
                return null;
            while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
            {
                var isIt = json.ValueTextEquals(member);
                json.Read();
                if (isIt)
                    return json.TokenType is JsonTokenType.String ? json.GetString() : null;
                json.Skip();
            }
        }
        // Not JSON, or not Unicode: the handler will report it.
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }

        return null;
    }
}
