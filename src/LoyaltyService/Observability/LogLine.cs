using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoyaltyService.Observability;

/// <summary>
/// One line of the log as UTF-8: the fixed members in their order, then all other members of the message, flat, then the error. Each thread reuses
/// one instance, so that a line needs no buffer of its own.
/// </summary>
internal sealed class LogLine
{
    public const string Service = "loyalty-service";

    // Longer texts are cut: a body in a message must not fill a disk.
    private const int MaxText = 8 * 1024;

    // Names come from templates in code, so their number is bounded.
    private static readonly ConcurrentDictionary<string, JsonEncodedText> Names = new(StringComparer.Ordinal);

    private static readonly HashSet<string> Taken =
    [
        "timestamp", "level", "service", "context", "message", "traceId", "spanId", "event", "error",
    ];

    [ThreadStatic]
    private static LogLine? ofThisThread;

    private readonly ArrayBufferWriter<byte> buffer;
    private readonly Utf8JsonWriter json;

    // All values from one pass, because reading a value boxes it.
    private readonly List<KeyValuePair<string, object?>> values = [];

    private LogLine(ArrayBufferWriter<byte> buffer, Utf8JsonWriter json)
    {
        this.buffer = buffer;
        this.json = json;
    }

    public ReadOnlySpan<byte> Text => buffer.WrittenSpan;

    public static LogLine OfThisThread() => ofThisThread ??= Create();

    private static LogLine Create()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        // Lines are JSON, never part of a page: apostrophes and umlauts stay as they are.
        return new LogLine(buffer, new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }));
    }

    /// <param name="state">The message's members, if it has any.</param>
    public void Write<TState>(
        DateTimeOffset at, LogLevel level, string context, string? eventName, string message, TState state, Exception? exception, Activity? activity)
    {
        buffer.ResetWrittenCount();
        json.Reset();
        values.Clear();
        StateReader<TState>.Collect?.Invoke(state, values);

        json.WriteStartObject();
        Span<byte> time = stackalloc byte[24];
        at.UtcDateTime.TryFormat(time, out var written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        json.WriteString("timestamp"u8, time[..written]);
        json.WriteString("level"u8, LevelText(level));
        json.WriteString("service"u8, Service);
        json.WriteString("context"u8, context);
        json.WriteString("message"u8, Cut(TakeMessage() ?? message));
        WriteFirst("sessionId");
        WriteFirst("customerId");
        WriteFirst("duration");
        WriteFirst("earnedPoints");
        if (activity is not null)
        {
            json.WriteString("traceId"u8, activity.TraceId.ToHexString());
            json.WriteString("spanId"u8, activity.SpanId.ToHexString());
        }

        if (eventName is not null)
            json.WriteString("event"u8, eventName);
        foreach (var (name, value) in values)
            WriteMember(name, value);
        if (exception is not null)
            WriteError(exception);
        json.WriteEndObject();
        json.Flush();
        values.Clear();
        buffer.Write("\n"u8);
    }

    private static string LevelText(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARN",
        LogLevel.Error => "ERROR",
        _ => "FATAL",
    };

    /// <summary>The member `message`, if there is one: unlike a formatted template, it costs a line no string.</summary>
    private string? TakeMessage()
    {
        var index = values.FindIndex(static member => member.Key == "message");
        if (index < 0)
            return null;
        var message = values[index].Value as string;
        values.RemoveAt(index);
        return message;
    }

    private void WriteFirst(string name)
    {
        // A loop: a lambda would allocate an object and a delegate per name and line.
        for (var index = 0; index < values.Count; index++)
        {
            if (values[index].Key != name)
                continue;
            WriteMember(name, values[index].Value);
            values.RemoveAt(index);
            return;
        }
    }

    private void WriteMember(string name, object? value)
    {
        json.WritePropertyName(Names.GetOrAdd(name, static given => NameOf(given)));
        switch (value)
        {
            case string text:
                json.WriteStringValue(Cut(text));
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            default:
                json.WriteStringValue(Cut(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
                break;
        }
    }

    private void WriteError(Exception exception)
    {
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, exception.GetType().FullName);
        json.WriteString("message"u8, Cut(exception.Message));
        // With inner exceptions.
        json.WriteString("stack"u8, Cut(exception.ToString()));
        json.WriteEndObject();
    }

    private static JsonEncodedText NameOf(string given)
    {
        var name = JsonNamingPolicy.CamelCase.ConvertName(given);
        return JsonEncodedText.Encode(Taken.Contains(name) ? name + "_" : name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
    }

    private static ReadOnlySpan<char> Cut(string text) => text.AsSpan(0, Math.Min(text.Length, MaxText));
}

/// <summary>
/// Reads the members of a message. The logging generator makes structs, and reading a struct through an interface boxes it. A method compiled for
/// the exact type saves each line that copy.
/// </summary>
internal static class StateReader<TState>
{
    /// <summary>Null if messages of this type have no members.</summary>
    public static readonly Action<TState, List<KeyValuePair<string, object?>>>? Collect =
        typeof(IReadOnlyList<KeyValuePair<string, object?>>).IsAssignableFrom(typeof(TState))
            ? typeof(StateReader).GetMethod(nameof(StateReader.Collect))!.MakeGenericMethod(typeof(TState))
                .CreateDelegate<Action<TState, List<KeyValuePair<string, object?>>>>()
            : null;
}

internal static class StateReader
{
    public static void Collect<TState>(TState state, List<KeyValuePair<string, object?>> values)
        where TState : IReadOnlyList<KeyValuePair<string, object?>>
    {
        for (var index = 0; index < state.Count; index++)
        {
            // Omits members without a value, and the template itself.
            if (state[index] is { Value: not null, Key: not "{OriginalFormat}" } member)
                values.Add(member);
        }
    }
}
