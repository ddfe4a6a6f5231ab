
namespace LoyaltyService.Pdi;

/// <summary>PDI's clean answer: the value, or a business rejection. Everything else is an exception.</summary>
internal readonly record struct PdiResult<T>(T? Value, PdiRejection? Rejection)
    where T : class
{
    public static implicit operator PdiResult<T>(T value) => new(value, null);

    public static implicit operator PdiResult<T>(PdiRejection rejection) => new(null, rejection);
}
