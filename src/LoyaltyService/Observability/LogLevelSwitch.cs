namespace LoyaltyService.Observability;

/// <summary>The lowest level that is logged: LOG_LEVEL at first, later the operator's choice.</summary>
internal sealed class LogLevelSwitch(LogLevel minimum)
{
    private static readonly (LogLevel Level, string Text)[] Levels =
    [
        (LogLevel.Debug, "debug"), (LogLevel.Information, "info"), (LogLevel.Warning, "warn"), (LogLevel.Error, "error"),
    ];

    private volatile int minimum = (int)minimum;

    public static IEnumerable<string> Words => Levels.Select(level => level.Text);

    public LogLevel Minimum
    {
        get => (LogLevel)minimum;
        set => minimum = (int)value;
    }

    public static LogLevel? Parse(string? text) =>
        Array.Find(Levels, level => level.Text == text) is { Text: not null } found ? found.Level : null;

    public static string ToText(LogLevel level) => Array.Find(Levels, known => known.Level == level).Text;
}
