using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Logging;
using LoyaltyService.Loyalty;
using LoyaltyService.Notifications;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Tests.Configuration;
using LoyaltyService.Tests.Pdi;
using Microsoft.AspNetCore.Http;

namespace LoyaltyService.Tests.Fuzzing;

/// <summary>
/// For any input, a parser returns a value, a refusal or its documented exception. Each run tries the whole corpus, and new inputs
/// for a fraction of a second. FUZZ_SECONDS extends that time per target.
/// </summary>
public sealed class FuzzTests
{
    private const int MostTries = 3_000;
    private static readonly TimeSpan TimeEach = TimeSpan.FromSeconds(0.4);

    /// <summary>Each target returns a short outcome, so that a new one can be recognised.</summary>
    private static readonly Dictionary<string, Func<byte[], Task<string>>> Targets = new()
    {
        ["database-url"] = input => Outcome(DatabaseUrl.Parse(Utf8(input))),
        ["redis-url"] = input => Outcome(RedisUrl.Parse(Utf8(input)), static url => (url as RedisServerUrl)?.ToConfigurationOptions()),
        ["api-keys"] = input => Outcome(ApiKeyParser.Parse(Utf8(input))),
        ["smtp-url"] = input => Outcome(SmtpUrl.Parse(Utf8(input)), static url => url.ToString()),
        ["http-url"] = input => HttpUrls(Utf8(input)),
        ["trusted-proxies"] = input => Outcome(TrustedProxies.Parse(Utf8(input))),
        ["rate-limit-clients"] = input => Outcome(ClientLimits.Parse(Utf8(input))),
        ["identify"] = BodyAsync<IdentifyRequest>,
        ["calculate-rewards"] = BodyAsync<CalculateRewardsRequest>,
        ["finalize"] = BodyAsync<FinalizeRequest>,
        ["log-level"] = BodyAsync<LogLevelRequest>,
        ["resolve"] = BodyAsync<ResolveRequest>,
        ["maintenance"] = BodyAsync<MaintenanceRequest>,
        ["pdi-identify"] = input => AnswerAsync(input, static async client => (await client.IdentifyAsync(new("C-1", "POS-1", "T-1", null), "key")).Rejection is null),
        ["pdi-calculate"] = input => AnswerAsync(input, static async client => (await client.CalculateAsync(new("pdi-1", 150m, [new("A", 2, 1.5m, null)], null))).Rejection is null),
        ["pdi-finalize"] = input => AnswerAsync(input, static async client => (await client.FinalizeAsync(new("pdi-1", "T-1", 150m, 450, 0, true), "key", inDoubt: false)).Rejection is null),
        ["pdi-status"] = input => AnswerAsync(input, static async client => (await client.GetSessionStatusAsync("pdi-1")).Rejection is null),
        ["pdi-token"] = TokenAsync,
    };

    public static TheoryData<string> Names => [.. Targets.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_input_breaks_its_parser(string target)
    {
        var corpus = new Corpus(target);
        var inputs = corpus.Inputs().ToList();
        var outcomes = new HashSet<string>();
        foreach (var input in inputs)
            outcomes.Add(await TryAsync(target, corpus, input, isKnown: true));

        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"{inputs.Count} inputs known, {outcomes.Count} outcomes; seed {seed}.");
        var mutator = new Mutator(new Random(seed));
        var (watch, patience) = (Stopwatch.StartNew(), Patience());
        for (var number = 0; (number < MostTries && watch.Elapsed < TimeEach) || watch.Elapsed < patience; number++)
        {
            var input = mutator.Next(inputs);
            if (!outcomes.Add(await TryAsync(target, corpus, input, isKnown: false)))
                continue;
            // Mutate inputs with a new outcome further.
            inputs.Add(input);
            if (Corpus.Grows)
                corpus.Add(input);
        }
    }

    private static async Task<string> TryAsync(string target, Corpus corpus, byte[] input, bool isKnown)
    {
        try
        {
            return await Targets[target](input);
        }
        catch (Exception broken)
        {
            if (!isKnown)
                corpus.Add(input);
            Assert.Fail($"{target} breaks with {Corpus.Line(input)}: {broken}");
            throw;
        }
    }

    private static TimeSpan Patience() =>
        double.TryParse(Environment.GetEnvironmentVariable("FUZZ_SECONDS"), out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;

    private static string Utf8(byte[] input) => Encoding.UTF8.GetString(input);

    private static Task<string> Outcome<T>(Parsed<T> parsed, Action<T>? use = null)
        where T : notnull
    {
        Assert.Equal(parsed.Succeeded, parsed.Problems.Count == 0);
        if (!parsed.Succeeded)
            return Task.FromResult(string.Join("; ", parsed.Problems.Select(static problem => problem.Description)));
        use?.Invoke(parsed.Value);
        return Task.FromResult("good");
    }

    /// <summary>As the URL of PDI, of the token issuer and of the collector, in production (which may refuse http) and outside it.</summary>
    private static Task<string> HttpUrls(string text)
    {
        (string, string?)[] urls = [("PDI_API_URL", text), ("JWT_AUTHORITY", text), ("JWT_AUDIENCE", "loyalty-service"), ("OTEL_EXPORTER_OTLP_ENDPOINT", text)];
        return Task.FromResult(string.Join("; ", new[] { Given.Production(urls), Given.Development(urls) }.Select(Outcome)));

        static string Outcome(Dictionary<string, string?> environment)
        {
            try
            {
                return "good at " + Given.Read(environment).PdiApiUrl.Scheme;
            }
            catch (ConfigurationException refused)
            {
                // Drop the input, which most messages quote.
                return string.Join(", ", refused.Errors.Select(error => $"{error.Variable} {error.Description.Split(", but ")[0]}"));
            }
        }
    }

    private static async Task<string> BodyAsync<T>(byte[] input)
        where T : class, IRequestBody<T>
    {
        var context = new DefaultHttpContext { Request = { Method = "POST", ContentType = "application/json", Body = new MemoryStream(input) } };
        var body = await Body<T>.BindAsync(context, parameter: null!);
        if (body.Rejection is { } rejection)
        {
            Assert.Equal(HttpErrors.ValidationFailed, rejection.Error);
            return string.Join("; ", rejection.Fields!.Select(static field => field.Field.Split('[')[0] + field.Message.Split(" at line")[0]));
        }

        // The rate limiter and the route must see the same body.
        Assert.Same(body, await Body<T>.BindAsync(context, parameter: null!));
        body.Value!.ToFingerprint();
        return "good";
    }

    private static async Task<string> AnswerAsync(byte[] input, Func<PdiClient, Task<bool>> call)
    {
        var outcomes = new List<string>();
        foreach (var status in new[] { HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity, HttpStatusCode.ServiceUnavailable })
        {
            using var pdi = new FakePdi { OnCall = (_, _) => Task.FromResult(Answer(input, status)) };
            outcomes.Add(await ToldAsync(async () => await call(pdi.CreateClient()) ? "good" : "refused"));
        }

        return string.Join(", ", outcomes);
    }

    private static async Task<string> TokenAsync(byte[] input)
    {
        using var pdi = new FakePdi
        {
            OnToken = (_, _) => Task.FromResult(Answer(input, HttpStatusCode.OK)),
            OnCall = static (_, _) => Task.FromResult(FakePdi.Json("""{"pdiSessionId":"pdi-1","status":"open"}""")),
        };
        return await ToldAsync(async () => (await pdi.CreateClient().GetSessionStatusAsync("pdi-1")).Rejection is null ? "good" : "refused");
    }

    private static async Task<string> ToldAsync(Func<Task<string>> call)
    {
        try
        {
            return await call();
        }
        catch (LoyaltyException known) when (known is PdiUnavailableException or PdiAuthenticationException)
        {
            // The framework's message contains a position, which differs per input.
            return $"{known.GetType().Name} {known.InnerException?.GetType().Name}";
        }
    }

    private static HttpResponseMessage Answer(byte[] input, HttpStatusCode status)
    {
        var answer = new HttpResponseMessage(status) { Content = new ByteArrayContent(input) };
        answer.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        // The same bytes as a header, as far as a header allows them.
        answer.Headers.TryAddWithoutValidation("Retry-After", Encoding.Latin1.GetString(input.AsSpan(0, Math.Min(input.Length, 40))).ReplaceLineEndings(""));
        return answer;
    }
}
