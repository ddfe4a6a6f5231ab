using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LoyaltyService.Observability;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Observability;

public sealed partial class LogLineTests : IDisposable
{
    private readonly MemoryStream output = new();
    private readonly LogLevelSwitch level = new(LogLevel.Information);
    private readonly LogQueue queue;
    private readonly JsonLogProvider provider;

    public LogLineTests()
    {
        queue = new LogQueue(new LogOutput(output));
        provider = new JsonLogProvider(queue, level, new FakeTimeProvider(new DateTimeOffset(2025, 3, 16, 14, 30, 45, 123, TimeSpan.Zero)));
    }

    public void Dispose()
    {
        provider.Dispose();
        queue.Dispose();
        output.Dispose();
    }

    [Fact]
    public void A_line_starts_with_the_required_members_in_order()
    {
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();

        Log.Finalized(provider.CreateLogger("LoyaltyService.Loyalty.FinalizeSession"), true, 450, "CUST-12345", 1250, "sess_abc123", "Zürich's", null);

        Assert.Equal(
            $$"""{"timestamp":"2025-03-16T14:30:45.123Z","level":"INFO","service":"loyalty-service","context":"FinalizeSession","message":"Session finalized: sess_abc123","sessionId":"sess_abc123","customerId":"CUST-12345","duration":1250,"earnedPoints":450,"traceId":"{{activity.TraceId}}","spanId":"{{activity.SpanId}}","event":"Finalized","wasWaiting":true,"place":"Zürich's"}""",
            Assert.Single(Lines()));
    }

    [Fact]
    public void An_exception_is_an_error_with_type_message_and_stack()
    {
        var thrown = Assert.Throws<InvalidOperationException>(Break);

        Log.Broke(provider.CreateLogger("A.B"), thrown);

        var error = JsonDocument.Parse(Assert.Single(Lines())).RootElement.GetProperty("error");
        Assert.Equal(["type", "message", "stack"], error.EnumerateObject().Select(member => member.Name));
        Assert.Equal(("System.InvalidOperationException", "one\ntwo"), (error.GetProperty("type").GetString(), error.GetProperty("message").GetString()));
        Assert.Contains("inside", error.GetProperty("stack").GetString(), StringComparison.Ordinal);
        Assert.Contains(nameof(Break), error.GetProperty("stack").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LogLevel.Debug, "DEBUG")]
    [InlineData(LogLevel.Information, "INFO")]
    [InlineData(LogLevel.Warning, "WARN")]
    [InlineData(LogLevel.Error, "ERROR")]
    [InlineData(LogLevel.Critical, "FATAL")]
    public void Levels_have_their_required_names(LogLevel logLevel, string text)
    {
        level.Minimum = LogLevel.Debug;

        Log.AnyLevel(provider.CreateLogger("A.B"), logLevel, double.NaN);

        Assert.Equal(text, JsonDocument.Parse(Assert.Single(Lines())).RootElement.GetProperty("level").GetString());
    }

    [Fact]
    public void The_level_can_change_at_run_time()
    {
        var logger = provider.CreateLogger("A.B");

        Log.AnyLevel(logger, LogLevel.Debug, 1);
        level.Minimum = LogLevel.Debug;
        Log.AnyLevel(logger, LogLevel.Debug, 2);
        level.Minimum = LogLevel.Error;
        Log.AnyLevel(logger, LogLevel.Warning, 3);

        Assert.Equal(2, JsonDocument.Parse(Assert.Single(Lines())).RootElement.GetProperty("number").GetDouble());
    }

    [Theory]
    [InlineData("LoyaltyService.Pdi.PdiWorker", "PdiWorker")]
    [InlineData("Microsoft.Extensions.Http.Logger<System.Net.Client>", "Logger<System.Net.Client>")]
    [InlineData("Plain", "Plain")]
    public void The_context_is_the_short_name_of_the_category(string category, string context)
    {
        Log.AnyLevel(provider.CreateLogger(category), LogLevel.Error, 1);

        Assert.Equal(context, JsonDocument.Parse(Assert.Single(Lines())).RootElement.GetProperty("context").GetString());
    }

    [Fact]
    public void Any_text_stays_on_one_line_of_bounded_length()
    {
        Log.Told(provider.CreateLogger("A.B"), "\r\n\u2028\"\\\0\ud800" + new string('x', 100_000), "not the line's own");

        var line = Assert.Single(Lines());
        Assert.InRange(line.Length, 8_000, 40_000);
        Assert.Equal("not the line's own", JsonDocument.Parse(line).RootElement.GetProperty("level_").GetString());
    }

    [Fact]
    public void A_line_allocates_little()
    {
        const int Lines = 16;
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        var logger = provider.CreateLogger("A.B");
        void Write()
        {
            for (var line = 0; line < Lines; line++)
                Log.Ended(logger, LogLevel.Information, "Session finalized successfully", "finalize", "200", "sess_abc123", "CUST-12345", 1250, 450, 0, null, null, null);
        }

        Log.Ended(logger, LogLevel.Information, "Session finalized successfully", "finalize", "200", "sess_abc123", "CUST-12345", 1250, 450, 0, null, null, null);
        Eventually(() => output.Length > 0);
        var length = output.Length;

        // A small batch: a fast output takes it without a backlog, which would allocate more buffers.
        var garbage = long.MaxValue;
        for (var burst = 1; burst <= 200; burst++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Write();
            garbage = Math.Min(garbage, (GC.GetAllocatedBytesForCurrentThread() - before) / Lines);
            Eventually(() => output.Length == length * (1 + (burst * Lines)));
        }

        // The framework's logging interface costs 72 bytes for the message and a box of 24 for each of three numbers.
        Assert.InRange(garbage, 0, 144);
    }

    private static void Eventually(Func<bool> isDone) => Assert.True(SpinWait.SpinUntil(isDone, TimeSpan.FromSeconds(60)));

    private static void Break() => throw new InvalidOperationException("one\ntwo", new ArgumentException("inside"));

    private string[] Lines()
    {
        provider.Dispose();
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "Finalized", Level = LogLevel.Information, Message = "Session finalized: {sessionId}")]
        public static partial void Finalized(
            ILogger logger, bool wasWaiting, long earnedPoints, string customerId, int duration, string sessionId, string place, string? absent);

        [LoggerMessage(EventName = "OperationEnded", Message = "Operation ended")]
        public static partial void Ended(
            ILogger logger, LogLevel level, string message, string operation, string outcome, string? sessionId, string? customerId, long duration,
            long? earnedPoints, long? redeemedPoints, string? reason, string? cause, Exception? exception);

        [LoggerMessage(EventName = "Broke", Level = LogLevel.Error, Message = "It broke")]
        public static partial void Broke(ILogger logger, Exception exception);

        [LoggerMessage(EventName = "AnyLevel", Message = "Said")]
        public static partial void AnyLevel(ILogger logger, LogLevel logLevel, double Number);

        [LoggerMessage(EventName = "Told", Level = LogLevel.Information, Message = "{text}")]
        public static partial void Told(ILogger logger, string text, string Level);
    }
}
