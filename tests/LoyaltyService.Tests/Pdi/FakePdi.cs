using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Tests.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Polly;

namespace LoyaltyService.Tests.Pdi;

/// <summary>
/// PDI as an HTTP handler in place of the network. It returns the configured answers and records the calls. An unexpected call fails
/// the test.
/// </summary>
internal sealed class FakePdi : HttpMessageHandler
{
    private readonly Lock callsLock = new();
    private readonly List<Call> calls = [];
    private PdiHealth? health;

    public FakeTimeProvider Clock { get; init; } = new();

    public LogLines Log { get; } = new();

    public PdiOptions Options { get; init; } = new() { TokenFirstBackoff = TimeSpan.Zero };

    /// <summary>Answers the token endpoint, by default with a token for an hour. The number counts its calls from 1.</summary>
    public Func<int, CancellationToken, Task<HttpResponseMessage>> OnToken { get; set; } =
        (number, _) => Task.FromResult(Token($"token-{number}", 3600));

    /// <summary>Answers every other call. The number counts them from 1.</summary>
    public Func<int, CancellationToken, Task<HttpResponseMessage>> OnCall { get; set; } =
        (_, _) => throw new InvalidOperationException("No call is expected.");

    public IReadOnlyList<Call> TokenCalls => Calls(isToken: true);

    public IReadOnlyList<Call> BusinessCalls => Calls(isToken: false);

    public PdiTokenProvider CreateTokens() => new(new PdiTokenClient(CreateHttp(), Given.Read(Given.Development()), Health, Clock), Options, Clock, Log.For<PdiTokenProvider>());

    public PdiClient CreateClient() => new(CreateHttp(), CreateTokens(), Pipeline, Health, Options, Clock);

    /// <summary>One attempt per call unless a test adds a pipeline.</summary>
    public ResiliencePipeline Pipeline { get; init; } = ResiliencePipeline.Empty;

    public static HttpResponseMessage Token(string value, double expiresIn) =>
        Json($$"""{"access_token":"{{value}}","token_type":"Bearer","expires_in":{{expiresIn}}}""");

    public static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    /// <summary>Never answers, so the caller's timeout ends the call.</summary>
    public static async Task<HttpResponseMessage> HangAsync(CancellationToken cancellationToken)
    {
        await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        throw new InvalidOperationException("Nobody completes this.");
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        var call = new Call(
            request.Method.Method, request.RequestUri!.AbsoluteUri, request.Headers.Authorization?.ToString(),
            request.Headers.TryGetValues("Idempotency-Key", out var keys) ? string.Join(",", keys) : null,
            request.Content?.Headers.ContentType?.MediaType, body);
        int number;
        lock (callsLock)
        {
            calls.Add(call);
            number = calls.Count(other => other.IsToken == call.IsToken);
        }

        return await (call.IsToken ? OnToken(number, cancellationToken) : OnCall(number, cancellationToken));
    }

    public PdiHealth Health => health ??= new(
        new ConsecutiveFailureBreaker(Options, PdiResilience.Judge, Clock, Log.For<ConsecutiveFailureBreaker>()), new PdiMetrics(new Meter("test"), new DailyCounts()), Clock);

    // The module's setup without the network.
    private HttpClient CreateHttp() => new(this, disposeHandler: false)
    {
        BaseAddress = new Uri("https://pdi.example.com/api/"),
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = Options.MaxAnswerBytes,
    };

    private IReadOnlyList<Call> Calls(bool isToken)
    {
        lock (callsLock)
            return [.. calls.Where(call => call.IsToken == isToken)];
    }

    internal sealed record Call(string Method, string Uri, string? Authorization, string? IdempotencyKey, string? ContentType, string? Body)
    {
        public bool IsToken => Uri.EndsWith("/oauth/token", StringComparison.Ordinal);
    }
}

/// <summary>Records every log line with its values and its exception.</summary>
internal sealed class LogLines
{
    private readonly Lock linesLock = new();
    private readonly List<string> lines = [];

    public IReadOnlyList<string> All
    {
        get
        {
            lock (linesLock)
                return [.. lines];
        }
    }

    public ILogger<T> For<T>() => new Logger<T>(this);

    private sealed class Logger<T>(LogLines log) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(", ", pairs) : "";
            lock (log.linesLock)
                log.lines.Add($"{logLevel} {eventId.Name}: {formatter(state, exception)} [{values}] {exception}");
        }
    }
}
