using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>Invalid requests return a problem with the reason, store nothing and never reach PDI.</summary>
public sealed partial class BadInputTests(BadInputTests.Running running) : IClassFixture<BadInputTests.Running>
{
    private readonly LoyaltyApp app = running.App;

    public static TheoryData<string> Routes => [.. BadInputs.Good.Keys];

    public static TheoryData<string, string> Bodies => [.. from route in BadInputs.Good.Keys from bad in BadInputs.For(route) select (route, bad.Name)];

    public static TheoryData<string, string> BrokenTransfers => [.. from route in BadInputs.Good.Keys from name in Transfers.Keys select (route, name)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

    private static readonly string[] UnfinishedBodies = ["Content-Length: 400\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n190\r\n"];

    private static readonly Dictionary<string, (string Request, int Status)> Transfers = new()
    {
        ["a chunk size that is no number"] = ("Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n", 400),
        ["a negative chunk size"] = ("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 400),
        ["a chunk size beyond any number"] = ("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", 400),
        ["a chunk without its end"] = ("Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n", 400),
        ["a chunk size without a line break"] = ("Transfer-Encoding: chunked\r\n\r\n2{}", 400),
        ["a compressed transfer"] = ("Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
        ["a length and chunks"] = ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n", 400),
        ["a length beyond the bound"] = ("Content-Length: 65537\r\n\r\n{}", 413),
        ["a length of many terabytes"] = ("Content-Length: 9223372036854775807\r\n\r\n{}", 413),
        ["no length and no chunks"] = ("\r\n", 400),
        ["an empty chunked body"] = ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_bad_body_is_refused(string route, string body)
    {
        var bad = BadInputs.For(route).Single(each => each.Name == body);

        await AssertRefusedAsync(await PostAsync("/loyalty/" + route, bad.Bytes, bad.ContentType), bad.Status, bad.Code);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_body_truncated_at_any_position_is_refused(string route)
    {
        var good = Encoding.UTF8.GetBytes(BadInputs.Good[route]);

        for (var length = 0; length < good.Length; length++)
            await AssertRefusedAsync(await PostAsync("/loyalty/" + route, good[..length]), 400, "validation_failed");
    }

    [Theory]
    [MemberData(nameof(BrokenTransfers))]
    public async Task A_broken_transfer_is_refused(string route, string transfer)
    {
        var (rest, status) = Transfers[transfer];

        var answer = await SendRawAsync(Head(route) + rest);

        await AssertRefusedAsync(answer, status, status == 413 ? "body_too_large" : "validation_failed");
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Thirty_megabytes_are_refused_with_and_without_a_length(string route)
    {
        var block = Encoding.ASCII.GetBytes(new string(' ', 64 * 1024));
        var chunk = Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 64 * 1024) + "\r\n");

        var withLength = await SendRawAsync(Head(route) + "Content-Length: 31457280\r\n\r\n", Enumerable.Repeat(block, 480));
        var chunked = await SendRawAsync(Head(route) + "Transfer-Encoding: chunked\r\n\r\n", Enumerable.Repeat(chunk, 480).Append("0\r\n\r\n"u8.ToArray()));
        var asked = await SendRawAsync(Head(route) + "Expect: 100-continue\r\nContent-Length: 31457280\r\n\r\n");

        await AssertRefusedAsync(withLength, 413, "body_too_large");
        await AssertRefusedAsync(chunked, 413, "body_too_large");
        await AssertRefusedAsync(asked, 413, "body_too_large");
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_caller_that_disconnects_mid_body_leaves_nothing_behind(string route)
    {
        foreach (var start in UnfinishedBodies)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, app.Address.Port, Cancellation);
            var stream = connection.GetStream();
            await stream.WriteAsync(Encoding.UTF8.GetBytes(Head(route) + start + BadInputs.Good[route]), Cancellation);
            connection.Client.Shutdown(SocketShutdown.Send);

            // The server may or may not answer, but not with a server error.
            Assert.DoesNotContain("HTTP/1.1 5", await ReadToEndAsync(stream), StringComparison.Ordinal);
            await AssertNothingHappenedAsync();
        }
    }

    [Theory]
    [InlineData("GET /loyalty/identify HTTP/9.9\r\nHost: localhost\r\n\r\n", 505)]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nBroken\r\n\r\n", 400)]
    [InlineData("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nBad\0Name: x\r\n\r\n", 400)]
    [InlineData("GET /loyalty/sessions/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)]
    [InlineData("GET /loyalty/sessions/a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)]
    public async Task Malformed_HTTP_is_rejected_before_routing(string request, int status)
    {
        var answer = await SendRawAsync(request);

        // Before routing nothing can write a problem, so the status is all.
        Assert.Equal((status, ""), (answer.Status, answer.Text));
        await AssertNothingHappenedAsync();
    }

    [Theory]
    [InlineData("/loyalty/identify", "POST")]
    [InlineData("/loyalty/calculate-rewards", "POST")]
    [InlineData("/loyalty/finalize", "POST")]
    [InlineData("/loyalty/sessions/sess_00000000000040008000000000000000", "GET")]
    [InlineData("/loyalty/getSessionStatus", "GET")]
    public async Task A_wrong_method_is_refused_and_the_allowed_one_named(string path, string allowed)
    {
        foreach (var method in Methods.Where(method => method != allowed))
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);

            var answer = await app.SendAsync(request);

            await AssertRefusedAsync(answer, 405, "method_not_allowed");
            Assert.Equal(allowed, answer.Headers["Allow"]);
        }

        using var head = new HttpRequestMessage(HttpMethod.Head, path);
        Assert.Equal(405, (await app.SendAsync(head)).Status);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/loyalty")]
    [InlineData("/loyalty/")]
    [InlineData("/loyalty/nothing")]
    [InlineData("/loyalty/identify/more")]
    [InlineData("/loyalty/sessions")]
    [InlineData("/loyalty/sessions/")]
    [InlineData("/loyalty/sessions/a/b")]
    [InlineData("/loyalty//identify")]
    [InlineData("/loyalty%2Fidentify")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    public async Task An_unknown_route_is_not_found(string path)
    {
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post })
        {
            using var request = new HttpRequestMessage(method, new Uri(app.Address.AbsoluteUri.TrimEnd('/') + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            await AssertRefusedAsync(await app.SendAsync(request), 404, "not_found");
        }
    }

    [Theory]
    [InlineData("sess_")]
    [InlineData("sess_00000000-0000-4000-8000-000000000000")]
    [InlineData("SESS_00000000000040008000000000000000")]
    [InlineData("sess_0000000000004000800000000000000A")]
    [InlineData("sess_00000000000040008000000000000000%00")]
    [InlineData("%20sess_00000000000040008000000000000000")]
    [InlineData("a%2Fb")]
    [InlineData("..%2F..%2Fetc%2Fpasswd")]
    [InlineData("%25")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("';%20drop%20table%20sessions;--")]
    [InlineData("long")]
    public async Task An_invalid_id_finds_no_session(string id)
    {
        if (id == "long")
            id = new string('a', 7_000);

        if (!id.Contains("%00", StringComparison.Ordinal))
            await AssertRefusedAsync(await app.GetAsync("/loyalty/sessions/" + id), 404, "session_not_found");
        await AssertRefusedAsync(await app.GetAsync("/loyalty/getSessionStatus?sessionId=" + id), 404, "session_not_found");
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("3")]
    [InlineData("\"\"")]
    [InlineData("\"abc\"")]
    [InlineData("\"-1\"")]
    [InlineData("\"1.0\"")]
    [InlineData("\" 1\"")]
    [InlineData("\"2147483648\"")]
    [InlineData("W/\"3\"")]
    [InlineData("\"1\", \"2\"")]
    [InlineData("\"3")]
    [InlineData("\"")]
    [InlineData("**")]
    public async Task An_invalid_If_Match_is_refused(string ifMatch)
    {
        foreach (var route in new[] { "calculate-rewards", "finalize" })
        {
            var answer = await app.PostAsync("/loyalty/" + route, BadInputs.Good[route], ("If-Match", ifMatch));

            await AssertRefusedAsync(answer, 400, "validation_failed");
            Assert.Equal("If-Match", answer.Json.GetProperty("errors")[0].GetProperty("field").GetString());
        }
    }

    [Theory]
    [InlineData("calculate-rewards")]
    [InlineData("finalize")]
    public async Task A_valid_body_for_an_unknown_session_is_not_found(string route) =>
        await AssertRefusedAsync(await PostAsync("/loyalty/" + route, Encoding.UTF8.GetBytes(BadInputs.Good[route])), 404, "session_not_found");

    /// <summary>The app with an empty database, shared by all bad bodies, which must store nothing.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal LoyaltyApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync() => App = await LoyaltyApp.StartAsync(Backend.Sqlite);

        public async ValueTask DisposeAsync() => await App.DisposeAsync();
    }

    private static string Head(string route) =>
        $"POST /loyalty/{route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";

    private Task<Answer> PostAsync(string path, byte[] body, string? contentType = "application/json") => PostAsync(app, path, body, contentType);

    internal static async Task<Answer> PostAsync(LoyaltyApp app, string path, byte[] body, string? contentType = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (contentType is not null)
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return await app.SendAsync(request);
    }

    /// <summary>Sends raw bytes and reads at the same time, because a server that refuses does not wait for the end.</summary>
    private async Task<Answer> SendRawAsync(string head, IEnumerable<byte[]>? body = null)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, app.Address.Port, Cancellation);
        var stream = connection.GetStream();
        var reading = ReadToEndAsync(stream);
        try
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(head), Cancellation);
            foreach (var block in body ?? [])
                await stream.WriteAsync(block, Cancellation);
        }
        catch (IOException)
        {
            // Refused before the end; the answer counts.
        }

        return ParseAnswer(await reading);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        var (text, buffer) = (new StringBuilder(), new byte[16 * 1024]);
        try
        {
            while (await stream.ReadAsync(buffer, patience.Token) is > 0 and var count)
                text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        catch (IOException)
        {
            // The server answers before it resets a connection.
        }

        return text.ToString();
    }

    private static Answer ParseAnswer(string raw)
    {
        var (head, body) = raw.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end
            ? (raw[..end].Split("\r\n"), raw[(end + 4)..])
            : throw new InvalidDataException($"This is no answer: \"{raw}\"");
        var headers = head.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        if (headers.ContainsKey("Transfer-Encoding"))
            body = string.Concat(Chunks().Matches(body).Select(chunk => chunk.Groups[1].Value));
        return new Answer(int.Parse(head[0].Split(' ')[1]), body, headers);
    }

    // Problems are JSON on one line, so a line that is not a chunk size is content.
    [GeneratedRegex("^[0-9a-f]+\r\n(.*)\r$", RegexOptions.Multiline)]
    private static partial Regex Chunks();

    private Task AssertRefusedAsync(Answer answer, int status, string code) => AssertRefusedAsync(app, answer, status, code);

    internal static async Task AssertRefusedAsync(LoyaltyApp app, Answer answer, int status, string code)
    {
        await AssertNothingHappenedAsync(app);
        AssertProblem(answer, status, code);
    }

    internal static void AssertProblem(Answer answer, int status, string code)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Text}");
        Assert.Equal(("application/problem+json", code), (answer.Headers["Content-Type"].Split(';')[0], answer.Code));
        Assert.Equal(status, answer.Json.GetProperty("status").GetInt32());
        Assert.Equal("urn:loyalty-service:error:" + code, answer.Json.GetProperty("type").GetString());
        var traceId = answer.Json.GetProperty("traceId").GetString();
        Assert.Matches("^[0-9a-f]{32}$", traceId);
        Assert.Equal(traceId, answer.Headers["X-Request-Id"]);
        Assert.Equal(status == 400, answer.Json.TryGetProperty("errors", out _));
    }

    private Task AssertNothingHappenedAsync() => AssertNothingHappenedAsync(app);

    private static readonly ConcurrentDictionary<LoyaltyApp, (long Sessions, int Calls)> Seen = new();

    private static async Task AssertNothingHappenedAsync(LoyaltyApp app)
    {
        var happened = (await app.CountSessionsAsync(), await app.Pdi.CallsAsync("identify"));
        var before = Seen.GetValueOrDefault(app, (0, 0));
        // Clean up, so that a leak fails only this test and not all later ones.
        Seen[app] = happened;
        Assert.Equal(before, happened);
    }
}
