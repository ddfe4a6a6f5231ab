using System.Text;

namespace LoyaltyService.Configuration;

/// <summary>Finds the values of variables, directly or in the files that NAME_FILE names, and collects their errors.</summary>
internal sealed class VariableLookup(IReadOnlyDictionary<string, string?> environment, Func<string, string> readFile)
{
    private const int LongestQuote = 100;

    private readonly List<ConfigurationError> errors = [];

    public IReadOnlyList<ConfigurationError> Errors => errors;

    /// <summary>An empty value counts as not set: compose files and shells pass on empty values for missing variables.</summary>
    public string? Given(string name) => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>The same for an empty file: a secret uses one for a missing value.</summary>
    public bool IsSet(EnvironmentVariable variable) =>
        Given(variable.Name) is not null || (Given(variable.FileName) is { } path && !IsEmpty(path));

    /// <returns>The value of the variable or its fallback; the type's default if there is none or an error was added.</returns>
    public T? Read<T>(EnvironmentVariable variable, Func<string, Parsed<T>> parse, bool required = false, string? fallback = null)
        where T : notnull
    {
        var before = errors.Count;
        var text = Find(variable);
        if (errors.Count > before)
            return default;
        if (text is null && required)
        {
            var file = Given(variable.FileName) is null ? "" : $" ({variable.FileName} names an empty file)";
            Add(variable.Name, $"is required, but is not set{file}. {variable.Description}");
            return default;
        }

        text ??= fallback ?? variable.Default;
        if (text is null)
            return default;

        var parsed = parse(text);
        foreach (var problem in parsed.Problems)
            Add(variable.Name, problem.Description + Quote(variable, text));
        return parsed.Value;
    }

    public void Add(string name, string description) => errors.Add(new ConfigurationError(name, description));

    private string? Find(EnvironmentVariable variable)
    {
        var value = Given(variable.Name);
        if (Given(variable.FileName) is not { } path)
            return value;
        if (value is not null)
        {
            Add(variable.Name, $"must not be set together with {variable.FileName}; keep one of them");
            return null;
        }

        try
        {
            return ContentOf(path);
        }
        // Every exception that reading a file of any name can throw; the other errors must be reported too.
        catch (Exception exception) when (ConfigurationModule.IsUnreadable(exception))
        {
            Add(variable.FileName, $"must name a readable text file, but \"{Printable(path)}\" gives {exception.GetType().Name}");
            return null;
        }
    }

    private string? ContentOf(string path) => readFile(path).TrimEnd('\r', '\n') is { Length: > 0 } content ? content : null;

    private bool IsEmpty(string path)
    {
        try
        {
            return ContentOf(path) is null;
        }
        catch (Exception exception) when (ConfigurationModule.IsUnreadable(exception))
        {
            // Said when it is read.
            return false;
        }
    }

    // A URL with an @ may hold a password, whatever the variable is.
    private static string Quote(EnvironmentVariable variable, string text) =>
        variable.IsSecret || text.Contains('@') ? "" : $", but is \"{Printable(text)}\"";

    // A value must not break the line, or fill the screen.
    private static string Printable(string text)
    {
        var printable = new StringBuilder();
        foreach (var character in text.Length > LongestQuote ? text.AsSpan(0, LongestQuote) : text)
            printable.Append(char.IsControl(character) || char.IsSurrogate(character) ? '\uFFFD' : character);
        return text.Length > LongestQuote ? printable.Append('…').ToString() : printable.ToString();
    }
}
