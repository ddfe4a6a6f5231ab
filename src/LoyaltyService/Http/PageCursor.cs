using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;

namespace LoyaltyService.Http;

/// <summary>
/// Where a page ended: the time and the id of its last row. The next page is what comes after that key, so that rows that come or go
/// meanwhile shift nothing.
/// </summary>
internal sealed record PageCursor(DateTimeOffset At, Guid Id)
{
    public const int MaxLimit = 200;
    public const int DefaultLimit = 50;

    private const int Length = sizeof(long) + 16;

    /// <summary>Reads `limit` of a list.</summary>
    public static int ReadLimit(string? text, ICollection<FieldError> errors)
    {
        if (text is null)
            return DefaultLimit;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit)
            return limit;
        errors.Add(new FieldError("limit", $"must be a whole number from 1 to {MaxLimit}."));
        return DefaultLimit;
    }

    /// <summary>Reads `after` of a list: what <see cref="ToString"/> wrote.</summary>
    public static PageCursor? Read(string? text, ICollection<FieldError> errors)
    {
        if (text is null)
            return null;
        Span<byte> key = stackalloc byte[Length];
        if (Base64Url.IsValid(text, out var length) && length == Length && Base64Url.DecodeFromChars(text, key) == Length
            && BinaryPrimitives.ReadInt64BigEndian(key) is var ticks && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks)
            return new PageCursor(new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(key[sizeof(long)..], bigEndian: true));
        errors.Add(new FieldError("after", "must be `next` of an earlier answer."));
        return null;
    }

    /// <summary>Reads a parameter that is `true`, `false` or not there.</summary>
    public static bool? ReadFlag(string name, string? text, ICollection<FieldError> errors)
    {
        if (text is not (null or "true" or "false"))
            errors.Add(new FieldError(name, "must be true or false."));
        return text is null ? null : text == "true";
    }

    public override string ToString()
    {
        Span<byte> key = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(key, At.UtcTicks);
        Id.TryWriteBytes(key[sizeof(long)..], bigEndian: true, out _);
        return Base64Url.EncodeToString(key);
    }
}
