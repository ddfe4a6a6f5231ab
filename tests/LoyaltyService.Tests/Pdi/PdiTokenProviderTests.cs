using System.Diagnostics;
using System.Net;
using LoyaltyService.Pdi;

namespace LoyaltyService.Tests.Pdi;

public sealed class PdiTokenProviderTests : IDisposable
{
    private static readonly TimeSpan Instant = TimeSpan.FromTicks(1);

    private readonly FakePdi pdi = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_caller_requests_a_token_with_the_client_credentials()
    {
        var token = await pdi.CreateTokens().GetAsync(Cancellation);

        Assert.Equal("token-1", token.Value);
        var call = Assert.Single(pdi.TokenCalls);
        Assert.Equal(("POST", "https://pdi.example.com/api/oauth/token", "application/x-www-form-urlencoded"), (call.Method, call.Uri, call.ContentType));
        Assert.Equal("grant_type=client_credentials&client_id=client&client_secret=hush-client", call.Body);
        Assert.Null(call.Authorization);
    }

    [Fact]
    public async Task Five_hundred_cold_callers_share_one_request()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        pdi.OnToken = (_, _) => answer.Task;
        var tokens = pdi.CreateTokens();

        var callers = Enumerable.Range(0, 500).Select(_ => Task.Run(() => tokens.GetAsync(Cancellation).AsTask(), Cancellation)).ToArray();
        answer.SetResult(FakePdi.Token("shared", 3600));
        var got = await Task.WhenAll(callers);

        Assert.Single(got.Distinct());
        Assert.Single(pdi.TokenCalls);
    }

    [Fact]
    public async Task Five_hundred_cold_callers_share_one_failure()
    {
        var arrived = new TaskCompletionSource();
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        pdi.OnToken = (number, _) =>
        {
            arrived.TrySetResult();
            return number == 1 ? answer.Task : throw new HttpRequestException("down");
        };
        var tokens = pdi.CreateTokens();

        var callers = Enumerable.Range(0, 500).Select(_ => tokens.GetAsync(Cancellation).AsTask()).ToArray();
        await arrived.Task;
        answer.SetException(new HttpRequestException("down"));

        foreach (var caller in callers)
            await Assert.ThrowsAsync<PdiUnavailableException>(() => caller);
        Assert.Equal(3, pdi.TokenCalls.Count);
    }

    [Fact]
    public async Task An_hour_long_token_serves_fifty_minutes_without_renewal()
    {
        var tokens = pdi.CreateTokens();
        var first = await tokens.GetAsync(Cancellation);

        pdi.Clock.Advance(TimeSpan.FromMinutes(50) - Instant);

        Assert.Same(first, await tokens.GetAsync(Cancellation));
        Assert.Single(pdi.TokenCalls);
    }

    [Fact]
    public async Task A_token_near_expiry_is_renewed_once_in_the_background()
    {
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage>());
        var tokens = pdi.CreateTokens();
        var first = await tokens.GetAsync(Cancellation);
        pdi.OnToken = (_, _) =>
        {
            arrived.TrySetResult();
            return answer.Task;
        };
        pdi.Clock.Advance(TimeSpan.FromMinutes(50));

        for (var caller = 0; caller < 100; caller++)
        {
            var get = tokens.GetAsync(Cancellation);
            Assert.True(get.IsCompletedSuccessfully);
            Assert.Same(first, await get);
        }

        await arrived.Task;
        Assert.Equal(2, pdi.TokenCalls.Count);
        answer.SetResult(FakePdi.Token("second", 3600));
        await UntilAsync(async () => (await tokens.GetAsync(Cancellation)).Value == "second");
        Assert.Equal(2, pdi.TokenCalls.Count);
    }

    [Fact]
    public async Task After_fifty_five_minutes_callers_wait_for_a_new_token()
    {
        var tokens = pdi.CreateTokens();
        await tokens.GetAsync(Cancellation);

        pdi.Clock.Advance(TimeSpan.FromMinutes(55));

        Assert.Equal("token-2", (await tokens.GetAsync(Cancellation)).Value);
    }

    [Fact]
    public async Task The_old_token_serves_until_fifty_five_minutes_if_renewal_fails()
    {
        var tokens = pdi.CreateTokens();
        var first = await tokens.GetAsync(Cancellation);
        pdi.OnToken = (_, _) => throw new HttpRequestException("down");
        pdi.Clock.Advance(TimeSpan.FromMinutes(50));

        Assert.Same(first, await tokens.GetAsync(Cancellation));
        await UntilAsync(() => Task.FromResult(pdi.TokenCalls.Count == 4));
        pdi.Clock.Advance(TimeSpan.FromMinutes(5) - Instant);

        Assert.Same(first, await tokens.GetAsync(Cancellation));
        pdi.Clock.Advance(Instant);
        await Assert.ThrowsAsync<PdiUnavailableException>(async () => await tokens.GetAsync(Cancellation));
    }

    [Fact]
    public async Task A_failed_background_renewal_waits_before_the_next_attempt()
    {
        // An attempt must not time out while the test advances the clock.
        using var patient = new FakePdi { Options = new PdiOptions { TokenFirstBackoff = TimeSpan.Zero, TokenTryTimeout = TimeSpan.FromHours(1) } };
        var tokens = patient.CreateTokens();
        var failedAt = patient.Clock.GetTimestamp();
        var askedAgainAfter = TimeSpan.Zero;
        patient.OnToken = (number, _) =>
        {
            if (number is > 1 and < 5)
                throw new HttpRequestException("down");
            askedAgainAfter = patient.Clock.GetElapsedTime(failedAt);
            return Task.FromResult(FakePdi.Token(number == 1 ? "first" : "late", 3600));
        };
        await tokens.GetAsync(Cancellation);
        patient.Clock.Advance(TimeSpan.FromMinutes(50));
        await tokens.GetAsync(Cancellation);
        await UntilAsync(() => Task.FromResult(patient.TokenCalls.Count == 4));
        failedAt = patient.Clock.GetTimestamp();

        await UntilAsync(async () =>
        {
            if (patient.TokenCalls.Count == 4)
                patient.Clock.Advance(TimeSpan.FromMilliseconds(100));
            return (await tokens.GetAsync(Cancellation)).Value == "late";
        });

        Assert.True(askedAgainAfter >= TimeSpan.FromSeconds(5), askedAgainAfter.ToString());
        Assert.Equal(5, patient.TokenCalls.Count);
    }

    [Theory]
    // In seconds: lifetime (an hour if absent), start of renewal, end of use.
    [InlineData("null", 3000, 3300)]
    [InlineData("3600", 3000, 3300)]
    [InlineData("3600.9", 3000, 3300)]
    [InlineData("7200", 3000, 3300)]
    [InlineData("1e18", 3000, 3300)]
    [InlineData("1e300", 3000, 3300)]
    [InlineData("1800", 1200, 1500)]
    [InlineData("600", 240, 300)]
    [InlineData("300", 192, 240)]
    [InlineData("1", 0.64, 0.8)]
    public async Task A_token_is_used_for_its_lifetime_less_a_margin(string expiresIn, double renewedFrom, double usedUntil)
    {
        pdi.OnToken = (number, _) => Task.FromResult(FakePdi.Json($$"""{"access_token":"token-{{number}}","expires_in":{{expiresIn}}}"""));
        var tokens = pdi.CreateTokens();
        var start = pdi.Clock.GetTimestamp();

        var token = await tokens.GetAsync(Cancellation);

        Assert.Equal(renewedFrom, pdi.Clock.GetElapsedTime(start, token.RenewFrom).TotalSeconds);
        Assert.Equal(usedUntil, pdi.Clock.GetElapsedTime(start, token.UsableUntil).TotalSeconds);
    }

    [Fact]
    public async Task A_token_without_expires_in_lives_an_hour()
    {
        pdi.OnToken = (number, _) => Task.FromResult(FakePdi.Json($$"""{"access_token":"token-{{number}}"}"""));
        var tokens = pdi.CreateTokens();
        await tokens.GetAsync(Cancellation);

        pdi.Clock.Advance(TimeSpan.FromMinutes(55) - Instant);
        var last = await tokens.GetAsync(Cancellation);

        Assert.Equal("token-1", last.Value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-1e300)]
    public async Task A_token_with_no_lifetime_serves_only_its_waiting_callers(double expiresIn)
    {
        pdi.OnToken = (number, _) => Task.FromResult(FakePdi.Token($"token-{number}", expiresIn));
        var tokens = pdi.CreateTokens();

        Assert.Equal("token-1", (await tokens.GetAsync(Cancellation)).Value);
        Assert.Equal("token-2", (await tokens.GetAsync(Cancellation)).Value);
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_cancel_the_shared_renewal()
    {
        var (arrived, answer) = (new TaskCompletionSource<CancellationToken>(), new TaskCompletionSource<HttpResponseMessage>());
        pdi.OnToken = (_, cancellation) =>
        {
            arrived.TrySetResult(cancellation);
            return answer.Task;
        };
        var tokens = pdi.CreateTokens();
        using var leaving = new CancellationTokenSource();

        var left = tokens.GetAsync(leaving.Token).AsTask();
        var stayed = tokens.GetAsync(Cancellation).AsTask();
        var renewal = await arrived.Task;
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.False(renewal.IsCancellationRequested);
        answer.SetResult(FakePdi.Token("shared", 3600));
        Assert.Equal("shared", (await stayed).Value);
        Assert.Single(pdi.TokenCalls);
    }

    [Fact]
    public async Task A_refused_token_is_replaced_by_one_request()
    {
        var tokens = pdi.CreateTokens();
        var refused = await tokens.GetAsync(Cancellation);

        tokens.Invalidate(refused);
        var second = await tokens.GetAsync(Cancellation);
        tokens.Invalidate(refused);
        tokens.Invalidate(refused);

        Assert.Equal("token-2", second.Value);
        Assert.Same(second, await tokens.GetAsync(Cancellation));
        Assert.Equal(2, pdi.TokenCalls.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_second_or_third_attempt_may_return_the_token(int failures)
    {
        pdi.OnToken = (number, _) => number <= failures
            ? throw new HttpRequestException("down")
            : Task.FromResult(FakePdi.Token($"token-{number}", 3600));

        Assert.Equal($"token-{failures + 1}", (await pdi.CreateTokens().GetAsync(Cancellation)).Value);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, """{"error":"invalid_client"}""")]
    [InlineData(HttpStatusCode.Unauthorized, """{"error":"invalid_client"}""")]
    [InlineData(HttpStatusCode.Found, "")]
    [InlineData(HttpStatusCode.InternalServerError, "")]
    [InlineData(HttpStatusCode.OK, "")]
    [InlineData(HttpStatusCode.OK, "null")]
    [InlineData(HttpStatusCode.OK, "{}")]
    [InlineData(HttpStatusCode.OK, "<html>")]
    [InlineData(HttpStatusCode.OK, """{"access_token":null}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":1}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":""}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":" "}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":"two\r\nlines"}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":"n\u00f6n-ascii"}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":"\uD800"}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":"x","expires_in":"soon"}""")]
    [InlineData(HttpStatusCode.OK, """{"access_token":"x","expires_in":3600""")]
    public async Task Three_invalid_token_answers_are_a_failure(HttpStatusCode status, string body)
    {
        pdi.OnToken = (_, _) => Task.FromResult(FakePdi.Json(body, status));

        var failure = await Assert.ThrowsAsync<PdiAuthenticationException>(async () => await pdi.CreateTokens().GetAsync(Cancellation));

        Assert.Equal(PdiErrors.AuthFailed, failure.Code);
        Assert.Equal(TimeSpan.FromSeconds(5), failure.RetryAfter);
        Assert.Equal(3, pdi.TokenCalls.Count);
    }

    [Fact]
    public async Task An_answer_in_an_unknown_character_set_is_refused()
    {
        pdi.OnToken = (_, _) =>
        {
            var answer = FakePdi.Token("x", 3600);
            answer.Content.Headers.ContentType!.CharSet = "nonsense";
            return Task.FromResult(answer);
        };

        await Assert.ThrowsAsync<PdiAuthenticationException>(async () => await pdi.CreateTokens().GetAsync(Cancellation));
    }

    [Fact]
    public async Task An_oversized_answer_is_refused()
    {
        pdi.OnToken = (_, _) => Task.FromResult(FakePdi.Token(new string('x', 65 * 1024), 3600));

        await Assert.ThrowsAsync<PdiAuthenticationException>(async () => await pdi.CreateTokens().GetAsync(Cancellation));
    }

    [Fact]
    public async Task An_attempt_that_hangs_times_out()
    {
        var arrivals = new[] { new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource() };
        pdi.OnToken = (number, cancellation) =>
        {
            var hanging = FakePdi.HangAsync(cancellation);
            arrivals[number - 1].SetResult();
            return hanging;
        };

        var get = pdi.CreateTokens().GetAsync(Cancellation).AsTask();
        foreach (var arrival in arrivals)
        {
            await arrival.Task;
            Assert.False(get.IsCompleted);
            pdi.Clock.Advance(TimeSpan.FromSeconds(1.2));
        }

        await Assert.ThrowsAsync<PdiUnavailableException>(() => get);
    }

    [Fact]
    public void All_attempts_and_pauses_fit_the_shortest_budget()
    {
        var options = new PdiOptions();

        var longest = (options.TokenTryTimeout * options.TokenTries) + options.TokenFirstBackoff + (options.TokenFirstBackoff * 2);

        Assert.True(longest < options.IdentifyBudget);
    }

    [Fact]
    public async Task After_three_failed_attempts_the_next_caller_tries_again()
    {
        pdi.OnToken = (number, _) => number <= 3 ? throw new HttpRequestException("down") : Task.FromResult(FakePdi.Token("back", 3600));
        var tokens = pdi.CreateTokens();

        await Assert.ThrowsAsync<PdiUnavailableException>(async () => await tokens.GetAsync(Cancellation));

        Assert.Equal("back", (await tokens.GetAsync(Cancellation)).Value);
    }

    [Fact]
    public async Task No_log_line_or_message_contains_a_secret_or_token()
    {
        pdi.OnToken = (number, _) => number switch
        {
            1 => Task.FromResult(FakePdi.Json("""{"error":"hush-client is wrong","access_token":"hush-token"}""", HttpStatusCode.Unauthorized)),
            2 => Task.FromResult(FakePdi.Json("""{"access_token":"hush-token","expires_in":"hush-token"}""")),
            3 => Task.FromResult(FakePdi.Token("hush-token", 3600)),
            _ => Task.FromResult(FakePdi.Json("hush-token hush-client")),
        };
        var tokens = pdi.CreateTokens();

        var token = await tokens.GetAsync(Cancellation);
        tokens.Invalidate(token);
        var failure = await Assert.ThrowsAsync<PdiAuthenticationException>(async () => await tokens.GetAsync(Cancellation));

        Assert.Contains(pdi.Log.All, line => line.Contains("TokenRenewed"));
        Assert.Contains(pdi.Log.All, line => line.Contains("TokenRequestFailed"));
        Assert.DoesNotContain(pdi.Log.All, line => line.Contains("hush"));
        Assert.DoesNotContain("hush", failure.ToString());
        Assert.DoesNotContain("hush", token.ToString());
    }

    public void Dispose() => pdi.Dispose();

    /// <summary>Yields until another thread's work is visible. Fails the test if it never is.</summary>
    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "It did not come.");
            await Task.Yield();
        }
    }
}
