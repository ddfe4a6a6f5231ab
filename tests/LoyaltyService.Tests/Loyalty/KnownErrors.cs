using System.Reflection;
using LoyaltyService.Http;

namespace LoyaltyService.Tests.Loyalty;

/// <summary>Every error that any feature declares.</summary>
internal static class KnownErrors
{
    public static IReadOnlyList<ErrorCode> All { get; } =
    [
        .. typeof(ErrorCode).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public))
            .Where(field => field.FieldType == typeof(ErrorCode))
            .Select(field => (ErrorCode)field.GetValue(null)!),
    ];
}
