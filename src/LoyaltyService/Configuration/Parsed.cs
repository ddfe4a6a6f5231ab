using System.Diagnostics.CodeAnalysis;

namespace LoyaltyService.Configuration;

/// <summary>What is wrong with a text, as the end of a sentence that begins with the variable's name. It never quotes the text: that may be a secret.</summary>
internal readonly record struct ParseError(string Description);

/// <summary>
/// The value that a text stands for, or the problems with the text. Parsers return this instead of throwing, so that all errors of a
/// configuration can be listed together.
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
