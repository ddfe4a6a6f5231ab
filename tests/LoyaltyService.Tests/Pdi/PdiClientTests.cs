using System.Net;
using System.Net.Http.Headers;
using CsCheck;
using LoyaltyService.Pdi;
using Polly;

namespace LoyaltyService.Tests.Pdi;

public sealed class PdiClientTests : IDisposable
{
    private static readonly PdiIdentifyRequest IdentifyRequest = new("C-1", "POS-1", "T-1", null);
    private static readonly PdiCalculateRequest CalculateRequest = new("pdi-1", 150.00m, [new PdiItem("A", 2, 1.50m, null)], null);
    private static readonly PdiFinalizeRequest FinalizeRequest = new("pdi-1", "T-1", 150.00m, 450, 0, true);

    private const string Receipt =
        """{"pdiSessionId":"p","status":"finalized","earnedPoints":1,"redeemedPoints":1,"newBalance":1,"receiptId":"R"}""";

    private readonly FakePdi pdi = new();

    /// <summary>The calls by name, to assert each classification for all of them.</summary>
    private static readonly Dictionary<string, Operation> Operations = new()
    {
        ["identify"] = new(
            """{"pdiSessionId":"pdi-1","customerId":"C-1","customerName":"John Doe","currentPoints":1200,"tier":"Gold"}""",
            ["pdiSessionId", "customerId", "customerName", "currentPoints", "tier"], TimeSpan.FromSeconds(5),
            async client => Parts(await client.IdentifyAsync(IdentifyRequest, "key-1"))),
        ["calculate"] = new(
            """{"pdiSessionId":"pdi-1","basePoints":300,"tierBonus":150,"bonusPoints":150,"earnedPoints":450,"multiplier":3.0}""",
            ["pdiSessionId", "basePoints", "tierBonus", "bonusPoints", "earnedPoints", "multiplier"], TimeSpan.FromSeconds(8),
            async client => Parts(await client.CalculateAsync(CalculateRequest))),
        ["finalize"] = new(
            """{"pdiSessionId":"pdi-1","receiptId":"R-1","earnedPoints":450,"redeemedPoints":0,"newBalance":1650}""",
            ["pdiSessionId", "receiptId", "earnedPoints", "redeemedPoints", "newBalance"], TimeSpan.FromSeconds(10),
            async client => Parts(await client.FinalizeAsync(FinalizeRequest, "key-1", inDoubt: false))),
        ["status"] = new(
            """{"pdiSessionId":"pdi-1","status":"open"}""",
            ["pdiSessionId", "status"], TimeSpan.FromSeconds(3),
            async client => Parts(await client.GetSessionStatusAsync("pdi-1"))),
    };

    public static TheoryData<string> Calls => [.. Operations.Keys];

    public static TheoryData<string, string> RequiredMembers =>
        [.. Operations.SelectMany(operation => operation.Value.Required, (operation, member) => (operation.Key, member))];

    public static TheoryData<string, string> Texts =>
        [.. Operations.SelectMany(operation => operation.Value.Required.Where(member => IsText(operation.Key, member)), (operation, member) => (operation.Key, member))];

    public static TheoryData<string, string> Points => new()
    {
        { "calculate", "basePoints" }, { "calculate", "tierBonus" }, { "calculate", "bonusPoints" }, { "calculate", "earnedPoints" },
        { "finalize", "earnedPoints" }, { "finalize", "redeemedPoints" },
    };

    public static TheoryData<string, int> Refusals => Each(400, 404, 409, 422);

    public static TheoryData<string, int> Unavailabilities => Each(201, 202, 204, 206, 300, 301, 302, 304, 307, 308, 402, 405, 408, 410, 413, 418, 429, 500, 501, 502, 503, 504);

    public static TheoryData<string, int> Credentials => Each(401, 403);

    [Fact]
    public async Task Identify_sends_the_sale_and_returns_the_customer()
    {
        Answers(Operations["identify"].Good);

        var result = await pdi.CreateClient().IdentifyAsync(IdentifyRequest, "key-1");

        Assert.Equal(new PdiIdentity("pdi-1", "C-1", "John Doe", 1200, "Gold"), result.Value);
        Assert.Equal(
            new FakePdi.Call("POST", "https://pdi.example.com/api/identify", "Bearer token-1", "key-1", "application/json",
                """{"customerId":"C-1","channelId":"POS-1","transactionId":"T-1"}"""),
            Assert.Single(pdi.BusinessCalls));
    }

    [Fact]
    public async Task Identify_sends_the_store_if_present()
    {
        Answers(Operations["identify"].Good);

        await pdi.CreateClient().IdentifyAsync(IdentifyRequest with { StoreId = "S-1" }, "key-1");

        Assert.EndsWith("""
            "storeId":"S-1"}
            """, Assert.Single(pdi.BusinessCalls).Body);
    }

    [Fact]
    public async Task Calculate_sends_the_basket_and_returns_the_rewards()
    {
        Answers("""{"pdiSessionId":"pdi-1","basePoints":300,"tierBonus":150,"bonusPoints":150,"earnedPoints":450,"multiplier":3.0,"redeemablePoints":500,"discount":5.00}""");

        var result = await pdi.CreateClient().CalculateAsync(CalculateRequest with { RedeemPoints = 100 });

        Assert.Equal(new PdiRewards("pdi-1", 300, 150, 150, 450, 3.0m, 500, 5.00m), result.Value);
        Assert.Equal(
            new FakePdi.Call("POST", "https://pdi.example.com/api/calculateRewards", "Bearer token-1", null, "application/json",
                """{"pdiSessionId":"pdi-1","transactionAmount":150.00,"items":[{"sku":"A","qty":2,"unitPrice":1.50}],"redeemPoints":100}"""),
            Assert.Single(pdi.BusinessCalls));
    }

    [Fact]
    public async Task Finalize_sends_the_intent_with_its_key_and_returns_the_receipt()
    {
        Answers(Operations["finalize"].Good);

        var result = await pdi.CreateClient().FinalizeAsync(FinalizeRequest, "key-1", inDoubt: false);

        Assert.Equal(new PdiReceipt("pdi-1", "R-1", 450, 0, 1650), result.Value);
        Assert.Equal(
            new FakePdi.Call("POST", "https://pdi.example.com/api/finalize", "Bearer token-1", "key-1", "application/json",
                """{"pdiSessionId":"pdi-1","transactionId":"T-1","finalAmount":150.00,"earnedPoints":450,"redeemPoints":0,"applyRewards":true}"""),
            Assert.Single(pdi.BusinessCalls));
    }

    [Fact]
    public async Task Status_returns_the_sessions_receipt()
    {
        Answers("""{"pdiSessionId":"a/b&c=d é","status":"finalized","earnedPoints":450,"redeemedPoints":100,"newBalance":1550,"receiptId":"R-1","finalizedAt":"2025-03-16T14:30:45Z"}""");

        var result = await pdi.CreateClient().GetSessionStatusAsync("a/b&c=d é");

        Assert.Equal(new PdiReceipt("a/b&c=d é", "R-1", 450, 100, 1550), result.Value?.Receipt);
        Assert.Equal(
            new FakePdi.Call("GET", "https://pdi.example.com/api/getSessionStatus?pdiSessionId=a%2Fb%26c%3Dd%20%C3%A9", "Bearer token-1", null, null, null),
            Assert.Single(pdi.BusinessCalls));
    }

    [Theory]
    [InlineData("""{"pdiSessionId":"p","status":"open","earnedPoints":1,"redeemedPoints":0,"newBalance":1,"receiptId":"R"}""")]
    [InlineData("""{"pdiSessionId":"p","status":"voided"}""")]
    [InlineData("""{"pdiSessionId":"p","status":"Finalized","earnedPoints":1,"redeemedPoints":0,"newBalance":1,"receiptId":"R"}""")]
    public async Task Only_a_finalized_session_has_a_receipt(string answer)
    {
        Answers(answer);

        var result = await pdi.CreateClient().GetSessionStatusAsync("p");

        Assert.NotNull(result.Value);
        Assert.Null(result.Value.Receipt);
    }

    [Theory]
    [InlineData("earnedPoints")]
    [InlineData("redeemedPoints")]
    [InlineData("newBalance")]
    [InlineData("receiptId")]
    public async Task A_finalized_session_with_an_incomplete_receipt_is_a_broken_answer(string member)
    {
        foreach (var missing in new[] { "\"other\":1,", $"\"{member}\":null," })
        {
            Answers(Receipt.Replace($"\"{member}\":", missing + "\"more\":", StringComparison.Ordinal));

            await AssertUnavailable("status");
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Text_with_a_NUL_is_a_broken_answer(string call, string member)
    {
        Answers(With(call, member, "\"a\\u0000\""));

        await AssertUnavailable(call);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_with_a_NUL_is_a_broken_answer(string call, int status)
    {
        foreach (var broken in new[] { """{"code":"X\u0000","message":"Y"}""", """{"code":"X","message":"\u0000"}""" })
        {
            Answers(broken, status);

            await AssertUnavailable(call);
        }
    }

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Negative_points_are_a_broken_answer(string call, string member)
    {
        Answers(With(call, member, "-1"));

        await AssertUnavailable(call);
    }

    [Fact]
    public async Task Negative_optional_points_are_a_broken_answer()
    {
        Answers(Operations["calculate"].Good.Insert(1, "\"redeemablePoints\":-1,"));
        await AssertUnavailable("calculate");

        foreach (var member in new[] { "earnedPoints", "redeemedPoints" })
        {
            Answers(Receipt.Replace($"\"{member}\":", $"\"{member}\":-", StringComparison.Ordinal));
            await AssertUnavailable("status");
        }
    }

    [Fact]
    public async Task A_balance_may_be_negative()
    {
        Answers(With("identify", "currentPoints", "-1"));
        Assert.NotNull((await Run("identify")).Value);

        Answers(With("finalize", "newBalance", "-1"));
        Assert.NotNull((await Run("finalize")).Value);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Unknown_members_are_ignored(string call)
    {
        Answers(Operations[call].Good.Insert(1, "\"new\":{\"a\":[1]},\"newer\":null,"));

        var (value, rejection) = await Run(call);

        Assert.NotNull(value);
        Assert.Null(rejection);
    }

    [Theory]
    [MemberData(nameof(RequiredMembers))]
    public async Task A_missing_required_member_is_a_broken_answer(string call, string member)
    {
        Answers(Operations[call].Good.Replace($"\"{member}\"", "\"other\""));

        await AssertUnavailable(call);
    }

    [Theory]
    [MemberData(nameof(RequiredMembers))]
    public async Task A_null_required_member_is_a_broken_answer(string call, string member)
    {
        Answers(With(call, member, "null"));

        await AssertUnavailable(call);
    }

    [Theory]
    [MemberData(nameof(RequiredMembers))]
    public async Task A_member_of_the_wrong_type_is_a_broken_answer(string call, string member)
    {
        foreach (var wrong in new[] { "{}", "[]", "true", "1e400", IsText(call, member) ? "1" : "\"1\"" })
        {
            Answers(With(call, member, wrong));

            await AssertUnavailable(call);
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_answer_outside_the_contract_is_broken(string call)
    {
        foreach (var broken in new[] { "", " ", "null", "[]", "1", "\"text\"", "<html></html>", "{", "{}", Operations[call].Good + "x", "[" + Operations[call].Good + "]", "\0" })
        {
            Answers(broken);

            await AssertUnavailable(call);
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_answer_truncated_at_any_position_is_broken(string call)
    {
        for (var length = 0; length < Operations[call].Good.Length; length++)
        {
            Answers(Operations[call].Good[..length]);

            await AssertUnavailable(call);
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_keeps_PDIs_code_and_message(string call, int status)
    {
        Answers("""{"code":"INSUFFICIENT_POINTS","message":"Too few.","more":1}""", status);

        var (value, rejection) = await Run(call);

        Assert.Null(value);
        Assert.Equal(new PdiRejection("INSUFFICIENT_POINTS", "Too few."), rejection);
        Assert.Single(pdi.BusinessCalls);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_without_its_code_and_message_is_broken(string call, int status)
    {
        foreach (var broken in new[]
        {
            "", "null", "{}", "[]", "<html></html>", """{"code":"X"}""", """{"message":"X"}""", """{"code":null,"message":"X"}""",
            """{"code":"X","message":null}""", """{"code":1,"message":"X"}""", """{"Code":"X","Message":"X"}""", """{"code":"X","message":"X""",
        })
        {
            Answers(broken, status);

            await AssertUnavailable(call);
        }
    }

    [Theory]
    [InlineData("SESSION_NOT_FOUND", true)]
    [InlineData("SESSION_CLOSED", true)]
    [InlineData("INSUFFICIENT_POINTS", false)]
    [InlineData("session_closed", false)]
    [InlineData("", false)]
    public void Two_codes_mean_that_the_session_is_gone(string code, bool isGone) => Assert.Equal(isGone, new PdiRejection(code, "").IsSessionGone);

    [Theory]
    [MemberData(nameof(Unavailabilities))]
    public async Task Any_other_status_means_unavailable_and_maybe_reached(string call, int status)
    {
        Answers(Operations[call].Good, status);

        var failure = await AssertUnavailable(call);

        Assert.Equal(PdiUnavailableException.DefaultRetryAfter, failure.RetryAfter);
    }

    [Theory]
    [InlineData(429, 7)]
    [InlineData(503, 120)]
    [InlineData(429, 0)]
    public async Task Retry_After_in_seconds_is_kept(int status, int seconds)
    {
        pdi.OnCall = (_, _) => Task.FromResult(Waiting(status, new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds))));

        Assert.Equal(TimeSpan.FromSeconds(seconds), (await AssertUnavailable("identify")).RetryAfter);
    }

    [Theory]
    [InlineData(30, 30)]
    [InlineData(-30, 0)]
    public async Task Retry_After_as_a_date_is_kept(int secondsFromNow, int expectedSeconds)
    {
        pdi.OnCall = (_, _) => Task.FromResult(Waiting(429, new RetryConditionHeaderValue(pdi.Clock.GetUtcNow().AddSeconds(secondsFromNow))));

        Assert.Equal(TimeSpan.FromSeconds(expectedSeconds), (await AssertUnavailable("identify")).RetryAfter);
    }

    [Fact]
    public async Task An_invalid_Retry_After_means_the_default_wait()
    {
        pdi.OnCall = (_, _) =>
        {
            var answer = FakePdi.Json("", HttpStatusCode.TooManyRequests);
            answer.Headers.TryAddWithoutValidation("Retry-After", "soon");
            return Task.FromResult(answer);
        };

        Assert.Equal(PdiUnavailableException.DefaultRetryAfter, (await AssertUnavailable("identify")).RetryAfter);
    }

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task A_refused_token_is_renewed_and_the_call_resent(string call, int status)
    {
        pdi.OnCall = (number, _) => Task.FromResult(number == 1 ? FakePdi.Json("", (HttpStatusCode)status) : FakePdi.Json(Operations[call].Good));

        var (value, _) = await Run(call);

        Assert.NotNull(value);
        Assert.Equal(["Bearer token-1", "Bearer token-2"], pdi.BusinessCalls.Select(sent => sent.Authorization));
        // The second call has the same body and key, but another token.
        Assert.Single(pdi.BusinessCalls.Select(sent => sent with { Authorization = null }).Distinct());
    }

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task Credentials_refused_twice_are_an_authentication_failure(string call, int status)
    {
        Answers("", status);

        var failure = await Assert.ThrowsAsync<PdiAuthenticationException>(() => Run(call));

        Assert.Equal(PdiErrors.AuthFailed, failure.Code);
        Assert.Equal((2, 2), (pdi.BusinessCalls.Count, pdi.TokenCalls.Count));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Without_a_token_no_call_is_sent(string call)
    {
        pdi.OnToken = (_, _) => throw new HttpRequestException("down");

        await Assert.ThrowsAsync<PdiUnavailableException>(() => Run(call));

        Assert.Empty(pdi.BusinessCalls);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_token_timeout_is_an_outage(string call)
    {
        var arrived = new TaskCompletionSource();
        // Ignores cancellation, so the call's budget ends the wait.
        pdi.OnToken = (_, _) =>
        {
            arrived.TrySetResult();
            return new TaskCompletionSource<HttpResponseMessage>().Task;
        };

        var running = Run(call);
        await arrived.Task;
        pdi.Clock.Advance(Operations[call].Budget);

        await Assert.ThrowsAsync<PdiUnavailableException>(() => running);
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, false)]
    [InlineData(HttpRequestError.NameResolutionError, false)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    [InlineData(HttpRequestError.ResponseEnded, true)]
    [InlineData(HttpRequestError.InvalidResponse, true)]
    [InlineData(HttpRequestError.HttpProtocolError, true)]
    [InlineData(HttpRequestError.Unknown, true)]
    public async Task A_broken_call_may_have_reached_PDI_unless_it_never_connected(HttpRequestError error, bool mayHaveReached)
    {
        pdi.OnCall = (_, _) => throw new HttpRequestException(error, "broken");

        foreach (var call in Operations.Keys)
            Assert.Equal(mayHaveReached, (await Assert.ThrowsAsync<PdiUnavailableException>(() => Run(call))).MayHaveReached);
    }

    [Fact]
    public async Task An_earlier_attempt_that_may_have_arrived_keeps_finalize_in_doubt()
    {
        using var retried = new FakePdi { Pipeline = new ResiliencePipelineBuilder().AddRetry(new() { MaxRetryAttempts = 1, Delay = TimeSpan.Zero }).Build() };
        retried.OnCall = (number, _) => throw new HttpRequestException(number == 1 ? HttpRequestError.ResponseEnded : HttpRequestError.ConnectionError, "broken");

        var failure = await Assert.ThrowsAsync<PdiUnavailableException>(() => retried.CreateClient().FinalizeAsync(FinalizeRequest, "key-1", inDoubt: false));

        Assert.Equal(2, retried.BusinessCalls.Count);
        Assert.True(failure.MayHaveReached);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task The_budget_ends_a_call_without_an_answer(string call)
    {
        var arrived = new TaskCompletionSource();
        pdi.OnCall = (_, cancellation) =>
        {
            var hanging = FakePdi.HangAsync(cancellation);
            arrived.TrySetResult();
            return hanging;
        };

        var running = Run(call);
        await arrived.Task;
        pdi.Clock.Advance(Operations[call].Budget - TimeSpan.FromTicks(1));
        Assert.False(running.IsCompleted);
        pdi.Clock.Advance(TimeSpan.FromTicks(1));

        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => running)).MayHaveReached);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task The_budget_ends_an_endless_body(string call)
    {
        var body = new HangingStream();
        pdi.OnCall = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(body) });

        var running = Run(call);
        await body.Arrived.Task;
        pdi.Clock.Advance(Operations[call].Budget);

        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => running)).MayHaveReached);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_breaks_off_is_a_broken_answer(string call)
    {
        pdi.OnCall = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new BrokenStream()) });

        await AssertUnavailable(call);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_answer_of_more_than_64_KiB_is_broken(string call)
    {
        var good = Operations[call].Good;
        Answers(good + new string(' ', (64 * 1024) - good.Length));
        Assert.NotNull((await Run(call)).Value);

        Answers(good + new string(' ', (64 * 1024) - good.Length + 1));
        await AssertUnavailable(call);
    }

    [Theory]
    [InlineData("text/plain", null, true)]
    [InlineData("application/json", "utf-16", false)]
    [InlineData("application/json", "nonsense", false)]
    public async Task An_answer_is_judged_by_its_content(string mediaType, string? charSet, bool isGood)
    {
        foreach (var (call, operation) in Operations)
        {
            pdi.OnCall = (_, _) =>
            {
                var answer = FakePdi.Json(operation.Good);
                answer.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType) { CharSet = charSet };
                return Task.FromResult(answer);
            };

            if (isGood)
                Assert.NotNull((await Run(call)).Value);
            else
                await AssertUnavailable(call);
        }
    }

    [Fact]
    public async Task Any_bytes_with_any_status_yield_one_of_three_outcomes() => await Gen
        .Select(Gen.OneOf([.. Operations.Keys]), Gen.OneOf(200, 400, 404, 409, 422, 429, 500), Gen.Byte.Array[0, 60], Gen.Double[0, 1])
        .SampleAsync(async (call, status, bytes, place) =>
        {
            using var fake = new FakePdi();
            var good = System.Text.Encoding.UTF8.GetBytes(status < 300 ? Operations[call].Good : """{"code":"X","message":"Y"}""");
            var from = (int)(place * good.Length);
            byte[] body = [.. good[..from], .. bytes, .. good.Skip(from + bytes.Length)];
            fake.OnCall = (_, _) => Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(body) });

            try
            {
                var (value, rejection) = await Operations[call].RunAsync(fake.CreateClient());
                Assert.True(value is null != rejection is null);
            }
            catch (PdiUnavailableException unclear)
            {
                Assert.True(unclear.MayHaveReached);
            }
        }, iter: 5_000);

    public void Dispose() => pdi.Dispose();

    private void Answers(string body, int status = 200) => pdi.OnCall = (_, _) => Task.FromResult(FakePdi.Json(body, (HttpStatusCode)status));

    private Task<(object? Value, PdiRejection? Rejection)> Run(string call) => Operations[call].RunAsync(pdi.CreateClient());

    private async Task<PdiUnavailableException> AssertUnavailable(string call)
    {
        var failure = await Assert.ThrowsAsync<PdiUnavailableException>(() => Run(call));
        Assert.True(failure.MayHaveReached);
        Assert.Equal(PdiErrors.Unavailable, failure.Code);
        return failure;
    }

    private static HttpResponseMessage Waiting(int status, RetryConditionHeaderValue wait)
    {
        var answer = FakePdi.Json("", (HttpStatusCode)status);
        answer.Headers.RetryAfter = wait;
        return answer;
    }

    private static (object? Value, PdiRejection? Rejection) Parts<T>(PdiResult<T> result)
        where T : class => (result.Value, result.Rejection);

    /// <summary>A valid answer with one member replaced.</summary>
    private static string With(string call, string member, string value)
    {
        var answer = System.Text.Json.Nodes.JsonNode.Parse(Operations[call].Good)!.AsObject();
        var members = answer.Select(pair => $"\"{pair.Key}\":{(pair.Key == member ? value : pair.Value!.ToJsonString())}");
        return $"{{{string.Join(',', members)}}}";
    }

    private static bool IsText(string call, string member) => Operations[call].Good.Contains($"\"{member}\":\"", StringComparison.Ordinal);

    private static TheoryData<string, int> Each(params int[] statuses) =>
        [.. Operations.Keys.SelectMany(_ => statuses, (call, status) => (call, status))];

    private sealed record Operation(
        string Good, string[] Required, TimeSpan Budget, Func<PdiClient, Task<(object? Value, PdiRejection? Rejection)>> RunAsync);

    private sealed class HangingStream : MemoryStream
    {
        public TaskCompletionSource Arrived { get; } = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var hanging = new TaskCompletionSource<int>().Task.WaitAsync(cancellationToken);
            Arrived.TrySetResult();
            return await hanging;
        }
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new HttpIOException(HttpRequestError.ResponseEnded);
    }
}
