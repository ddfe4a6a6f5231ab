using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using LoyaltyService.Loyalty;
using Microsoft.OpenApi;

namespace LoyaltyService.Pdi;

/// <param name="Items">The oldest first.</param>
/// <param name="Next">What to send as `after` for the next page; not there on the last one.</param>
/// <param name="Counts">How much waits in all, whatever the page shows.</param>
internal sealed record QueueResponse(IReadOnlyList<QueueItem> Items, string? Next, QueueCounts Counts);

/// <param name="Waiting">Sessions that the service works on, now or when they are due.</param>
/// <param name="Parked">Sessions that wait for an operator.</param>
/// <param name="OldestAgeSeconds">How long the oldest of all has waited; 0 if nothing waits.</param>
internal sealed record QueueCounts(long Waiting, long Parked, long OldestAgeSeconds);

/// <summary>The queue, page by page: the page after a key, so that items that come or go meanwhile shift nothing.</summary>
internal sealed class ListQueue(IPdiWorkStore work)
{
    private const int MaxLimit = 200;
    private const int DefaultLimit = 50;

    // A time and a UUID.
    private const int CursorLength = sizeof(long) + 16;

    public async Task<Answer<QueueResponse>> RunAsync(string? limit, string? after, string? parked, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var pageSize = ReadLimit(limit, errors);
        var cursor = ReadCursor(after, errors);
        var filter = ReadFlag(parked, errors);
        if (errors.Count > 0)
            return Rejection.Validation(errors);

        // One more than asked for: it tells whether there is a next page.
        var rows = await work.ListAsync(pageSize + 1, cursor, filter, cancellationToken);
        var counts = await work.CountAsync(cancellationToken);
        var page = rows.Take(pageSize).ToList();
        return Answer<QueueResponse>.Of(
            StatusCodes.Status200OK,
            new QueueResponse(
                [.. page.Select(QueueItem.Of)],
                rows.Count > pageSize ? WriteCursor(page[^1]) : null,
                new QueueCounts(counts.Waiting, counts.Parked, (long)counts.OldestAge.TotalSeconds)),
            LoyaltyJson.Wire.QueueResponse);
    }

    /// <summary>What the parameters' types would say, if a wrong value were the framework's to refuse.</summary>
    public static void Describe(OpenApiOperation operation)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Schema = parameter.Name switch
            {
                "limit" => new OpenApiSchema
                {
                    Type = JsonSchemaType.Integer,
                    Minimum = "1",
                    Maximum = MaxLimit.ToString(CultureInfo.InvariantCulture),
                    Default = DefaultLimit,
                },
                "parked" => new OpenApiSchema { Type = JsonSchemaType.Boolean },
                _ => parameter.Schema,
            };
        }
    }

    private static int ReadLimit(string? text, List<FieldError> errors)
    {
        if (text is null)
            return DefaultLimit;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit)
            return limit;
        errors.Add(new FieldError("limit", $"must be a whole number from 1 to {MaxLimit}."));
        return DefaultLimit;
    }

    private static bool? ReadFlag(string? text, List<FieldError> errors)
    {
        if (text is not (null or "true" or "false"))
            errors.Add(new FieldError("parked", "must be true or false."));
        return text is null ? null : text == "true";
    }

    private static PdiWorkCursor? ReadCursor(string? text, List<FieldError> errors)
    {
        if (text is null)
            return null;
        Span<byte> key = stackalloc byte[CursorLength];
        if (Base64Url.IsValid(text, out var length) && length == CursorLength && Base64Url.DecodeFromChars(text, key) == CursorLength
            && BinaryPrimitives.ReadInt64BigEndian(key) is var ticks && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks)
            return new PdiWorkCursor(new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(key[sizeof(long)..], bigEndian: true));
        errors.Add(new FieldError("after", "must be `next` of an earlier answer."));
        return null;
    }

    private static string WriteCursor(PdiWorkRow last)
    {
        Span<byte> key = stackalloc byte[CursorLength];
        BinaryPrimitives.WriteInt64BigEndian(key, last.CreatedAt.UtcTicks);
        last.SessionId.TryWriteBytes(key[sizeof(long)..], bigEndian: true, out _);
        return Base64Url.EncodeToString(key);
    }
}
