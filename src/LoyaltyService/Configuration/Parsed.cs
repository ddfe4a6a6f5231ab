using System.Diagnostics.CodeAnalysis;

namespace LoyaltyService.Configuration;

/// <summary>An error in a text, as the end of a sentence that begins with the variable's name. It never quotes the text, which may be a secret.</summary>
internal readonly record struct ParseError(string Description);

/// <summary>
/// The value of a text, or its errors. Parsers return this instead of throwing, so that all configuration errors are listed together.
/// </summary>
internal sealed class Parsed<T>
    where T : notnull
{
    public Parsed(T value) => Value = value;

    public Parsed(IReadOnlyList<ParseError> problems) => Problems = problems;

    [MemberNotNullWhen(true, nameof(Value))]
    public bool Succeeded => Problems.Count == 0;

    public T? Value { get; }

    public IReadOnlyList<ParseError> Problems { get; } = [];

    public static implicit operator Parsed<T>(T value) => new(value);

    public static implicit operator Parsed<T>(ParseError problem) => new([problem]);
}
