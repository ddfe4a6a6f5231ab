using System.Collections.Concurrent;
using System.Diagnostics;

namespace LoyaltyService.Observability;

/// <summary>
/// The log: one JSON object per line on standard output, written in the background. The framework's console logger either blocks its callers or drops
/// any line, warnings included, without counting. <see cref="LogQueue"/> drops only lines below a warning, and counts them.
/// </summary>
internal sealed class JsonLogProvider(LogQueue queue, LogLevelSwitch level, TimeProvider clock) : ILoggerProvider
{
    private readonly ConcurrentDictionary<string, ILogger> loggers = new(StringComparer.Ordinal);

    public ILogger CreateLogger(string categoryName) =>
        loggers.GetOrAdd(categoryName, static (category, provider) => new Logger(ShortName(category), provider), this);

    public void Dispose() => queue.Dispose();

    private static string ShortName(string category)
    {
        // Not inside the arguments of a generic type.
        var end = category.IndexOfAny(['<', '[', '`']);
        return category[(category.LastIndexOf('.', (end < 0 ? category.Length : end) - 1) + 1)..];
    }

    private void Write<TState>(
        string context, LogLevel logLevel, string? eventName, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = LogLine.OfThisThread();
        line.Write(clock.GetUtcNow(), logLevel, context, eventName, formatter(state, exception), state, exception, Activity.Current);
        queue.Add(line.Text, mayDrop: logLevel < LogLevel.Warning);
    }

    private sealed class Logger(string context, JsonLogProvider provider) : ILogger
    {
        // The lines themselves contain what a scope would: the trace, and the session if there is one.
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                provider.Write(context, logLevel, eventId.Name, state, exception, formatter);
        }
    }

    private bool IsEnabled(LogLevel logLevel) => logLevel >= level.Minimum && logLevel is not LogLevel.None;
}
