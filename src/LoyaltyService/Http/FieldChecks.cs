using System.Buffers;

namespace LoyaltyService.Http;

/// <summary>Checks that fields share (docs/openapi.json shows the same shapes).</summary>
internal static class FieldChecks
{
    public const decimal MaxAmount = 999_999.99m;

    private const int MaxIdLength = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");

    public static void CheckId(this ICollection<FieldError> errors, string field, string? value)
    {
        if (string.IsNullOrEmpty(value))
            errors.Add(new FieldError(field, "is required."));
        else if (value.Length > MaxIdLength || value.AsSpan().ContainsAnyExcept(IdCharacters))
            errors.Add(new FieldError(field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -"));
    }

    public static void CheckOptionalId(this ICollection<FieldError> errors, string field, string? value)
    {
        if (value is not null)
            errors.CheckId(field, value);
    }

    /// <summary>Text for PDI: 1 to 64 characters without control characters.</summary>
    public static void CheckText(this ICollection<FieldError> errors, string field, string? value)
    {
        if (string.IsNullOrEmpty(value))
            errors.Add(new FieldError(field, "is required."));
        else if (value.Length > MaxIdLength || value.Any(char.IsControl))
            errors.Add(new FieldError(field, "must be 1 to 64 characters, none of them a control character."));
    }

    public static void CheckAmount(this ICollection<FieldError> errors, string field, decimal? value)
    {
        if (value is not { } amount)
            errors.Add(new FieldError(field, "is required."));
        else if (amount is < 0 or > MaxAmount)
            errors.Add(new FieldError(field, "must be from 0.00 to 999999.99."));
        else if (decimal.Round(amount, 2) != amount)
            errors.Add(new FieldError(field, AmountConverter.TooManyDecimals));
    }

    public static void CheckPoints(this ICollection<FieldError> errors, string field, long? value)
    {
        // 999,999.99 of the currency at 100 points a unit: no sale can redeem more.
        if (value is < 0 or > 99_999_999)
            errors.Add(new FieldError(field, "must be from 0 to 99999999."));
    }

    public static void CheckVersion(this ICollection<FieldError> errors, int? value)
    {
        if (value is < 1)
            errors.Add(new FieldError("version", "must be at least 1."));
    }
}
