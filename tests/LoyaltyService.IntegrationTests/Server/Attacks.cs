using System.Text;
using LoyaltyService.IntegrationTests.Loyalty;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>
/// Generates malformed requests: odd methods, paths, queries, headers, lengths and bodies in any mixture. Most go to existing routes,
/// read from the running service, so new routes are attacked too.
/// </summary>
internal sealed class Attacks(Random random, IReadOnlyList<string> keys, IReadOnlyList<RouteEndpoint> routes)
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G€T", "A"];

    // Unknown paths, and paths that the server itself must interpret.
    private static readonly (string Method, string Path)[] Odd =
    [
        ("POST", "/ops/{x}"), ("POST", "/loyalty/{x}"), ("GET", "/docs/{x}"), ("GET", "/openapi/{x}"), ("GET", "/"), ("GET", "/{x}"), ("GET", "*"), ("GET", "http://127.0.0.1/health"), ("GET", "//{x}"),
    ];

    private static readonly string[] Bodies =
    [
        .. BadInputs.Good.Values, .. BadInputs.Good.Values, """{"level":"debug","note":"x","reason":"y"}""",
        """{"from":"2026-12-01T02:00Z","until":"2026-12-01T03:00:00.5+01:00","reason":"y"}""",
    ];

    private readonly (string Method, string Path)[] routes = [.. routes.SelectMany(static route => Targets(route))];

    private static readonly string[] Names = ["sessionId", "customerId", "transactionId", "status", "from", "to", "limit", "after", "state", "kind", "resolved", "{x}"];

    private static readonly string[] Headers =
    [
        "If-Match", "If-None-Match", "Idempotency-Key", "traceparent", "tracestate", "baggage", "Content-Type", "Accept", "Accept-Encoding", "Authorization", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Original-URL", "Cookie", "Origin", "Referer", "Range", "Expect", "Upgrade", "Connection", "Host",
        "Content-Length", "Transfer-Encoding", "Content-Encoding", "User-Agent", "Access-Control-Request-Method", "{x}",
    ];

    private static readonly string[] Junk =
    [
        "", " ", "\0", "%00", "%", "%zz", "..", "../../etc/passwd", "%2e%2e%2f", "..%5c..%5c", "..;/", "~", "'", "' or 1=1 --", "\"", "\\", "<script>alert(1)</script>", "${jndi:ldap://x/a}",
        "{{7*7}}", "|id", "`id`", "sess_", BadInputs.AnySession, "sess_FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "-1", "0", "1", "2147483648", "9223372036854775808", "1e400", "NaN", "null", "true",
        "[]", "{}", "*", "\"1\"", "W/\"1\"", "\"", "\"1\", \"2\"", "é", "\u00ff\u00fe", "%F0%9F%98%80", "%C0%AF", "%ED%A0%80", "application/json", "application/json; charset=utf-7", "text/plain",
        "chunked", "gzip, chunked", "identity", "100-continue", "websocket", "h2c", "close, x", "2025-01-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2025-02-30",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-0000000000000000-ff", "Bearer x", "Bearer a.b.c", "Basic eDp5",
        "1.2.3.4", "::1", "1.2.3.4:99999", "unknown", "bytes=0-", "finalized", "parked", "expire-sessions%00", "a,b;c=d", "=", "&&", "#", "\t", "\r\n X: y",
    ];

    public byte[] Next()
    {
        var text = new StringBuilder();
        var (method, route) = Any(Chance(0.85) ? routes : Odd);
        text.Append(Chance(0.95) ? method : Any(Methods)).Append(' ').Append(Fill(route)).Append(Query()).Append(" HTTP/1.1\r\n");
        if (Chance(0.97))
            text.Append("Host: localhost\r\n");
        text.Append("Connection: close\r\n");
        if (Chance(0.9))
            text.Append("X-Api-Key: ").Append(Chance(0.9) ? Any(keys) : Clean(Value())).Append("\r\n");
        if (Chance(0.8))
            text.Append("Content-Type: application/json\r\n");
        for (var number = random.Next(4); number > 0; number--)
            text.Append(Clean(Fill(Any(Headers)))).Append(": ").Append(Clean(Value())).Append("\r\n");
        var body = Body();
        switch (random.Next(12))
        {
            case 0:
                text.Append("Content-Length: ").Append(Value()).Append("\r\n\r\n");
                break;
            case 1:
                text.Append("Content-Length: ").Append(body.Length + random.Next(-5, 5)).Append("\r\n\r\n");
                break;
            case 2:
                text.Append("Transfer-Encoding: chunked\r\n\r\n").Append(Value()).Append("\r\n");
                break;
            case 3:
                text.Append("Transfer-Encoding: chunked\r\n\r\n").Append($"{body.Length:x}\r\n");
                return [.. Encoding.Latin1.GetBytes(text.ToString()), .. body, .. Encoding.Latin1.GetBytes(Chance(0.7) ? "\r\n0\r\n\r\n" : Value())];
            case 4:
                text.Append("\r\n");
                break;
            default:
                text.Append("Content-Length: ").Append(body.Length).Append("\r\n\r\n");
                break;
        }

        return [.. Encoding.Latin1.GetBytes(text.ToString()), .. body];
    }

    private static IEnumerable<(string Method, string Path)> Targets(RouteEndpoint route)
    {
        var path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(
            static segment => string.Concat(segment.Parts.Select(static part => part is RoutePatternLiteralPart literal ? literal.Content : "{x}"))));
        return (route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => (method, path));
    }

    private string Query() => Chance(0.6) ? "" : "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{Fill(Any(Names))}={Escaped(Value())}"));

    private byte[] Body()
    {
        var body = Encoding.UTF8.GetBytes(Any(Bodies));
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var from = random.Next(body.Length + 1);
            var to = Math.Min(body.Length, from + random.Next(30));
            body = [.. body[..from], .. Encoding.Latin1.GetBytes(Chance(0.02) ? new string('[', 70_000) : Value()), .. body[to..]];
        }

        return body;
    }

    private string Fill(string template) => template.Replace("{x}", Escaped(Value()), StringComparison.Ordinal);

    // Mostly what a line of a request may have in it; now and then what it may not. Never what ends it: another version of HTTP is 505, as it should be.
    private string Escaped(string value) => Chance(0.03) ? string.Concat(value.Where(static character => character is not (' ' or '\r' or '\n'))) : string.Concat(value.Select(static character => character is > ' ' and <= '~' ? $"{character}" : $"%{(byte)character:X2}"));

    private string Value() => random.Next(12) switch
    {
        0 => Any(Junk) + Any(Junk),
        1 => string.Concat(Enumerable.Repeat(Any(Junk), random.Next(2, 300))),
        2 => new string((char)random.Next(256), random.Next(1, 100)),
        _ => Any(Junk),
    };

    // The server refuses invalid characters itself; most requests should get further.
    private string Clean(string value) => Chance(0.05) ? value : string.Concat(value.Where(static character => character is >= ' ' and <= '~' and not ':'));

    private bool Chance(double part) => random.NextDouble() < part;

    private T Any<T>(IReadOnlyList<T> all) => all[random.Next(all.Count)];
}
