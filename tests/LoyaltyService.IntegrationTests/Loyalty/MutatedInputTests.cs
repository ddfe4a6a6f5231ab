using System.Text;
using CsCheck;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>Random mutations of valid bodies. A failure prints its seed.</summary>
public sealed class MutatedInputTests
{
    private const int Mutants = 2_000;

    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "null", "true", "NaN", "1e400", "-0", "1e-400", "0.1e1", "99999999999999999999", "\"\\ud800\"", "\"\\u0000\"", "\"\"", "\\", "\"", "{", "}", "[", "]", ",", ":",
            "{\"a\":{\"b\":[]}}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\"version\":1,", "\"metadata\":{},", "\"storeId\":null,", "/**/", "\ufeff", " ", "\u2028", "\ud83d\ude00",
        }.Select(Encoding.UTF8.GetBytes),
        "\\ud800"u8.ToArray(), "\\udc00"u8.ToArray(), "\\u0000"u8.ToArray(), [0], [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80],
    ];

    private static readonly Gen<Func<byte[], byte[]>> Mutations = Gen.Select(Gen.Int[0, 5], Gen.Double.Unit, Gen.Double.Unit, Gen.Int[0, Tokens.Length - 1], Gen.Byte,
        (kind, start, length, token, other) => (Func<byte[], byte[]>)(body =>
        {
            var from = (int)(start * body.Length);
            var to = Math.Min(body.Length, from + 1 + (int)(length * 20));
            return kind switch
            {
                // Deletes or duplicates bytes, overwrites or inserts a token, replaces a whole value, or changes one byte.
                0 => [.. body[..from], .. body[to..]],
                1 => [.. body[..to], .. body[from..to], .. body[to..]],
                2 => [.. body[..from], .. Tokens[token], .. body[to..]],
                3 => [.. body[..from], .. Tokens[token], .. body[from..]],
                4 => WithValue(body, from, Tokens[token]),
                _ => from < body.Length ? [.. body[..from], other, .. body[(from + 1)..]] : body,
            };
        }));

    /// <summary>Replaces the next complete value, so that the result usually stays valid JSON.</summary>
    private static byte[] WithValue(byte[] body, int from, byte[] value)
    {
        var colon = Array.IndexOf(body, (byte)':', from);
        var end = colon < 0 ? -1 : body.AsSpan(colon).IndexOfAny(",}"u8);
        return end < 0 ? body : [.. body[..(colon + 1)], .. value, .. body[(colon + end)..]];
    }

    private static readonly Gen<(string Route, byte[] Body)> Requests = Gen.Select(
        Gen.OneOf([.. BadInputs.Good.Keys]), Mutations.List[1, 4],
        (route, mutations) => (route, mutations.Aggregate(Encoding.UTF8.GetBytes(BadInputs.Good[route]), (body, mutate) => mutate(body))));

    [Fact(Timeout = 120_000)]
    public async Task No_mutant_causes_a_server_error_and_only_accepted_ones_are_stored()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite);
        var accepted = 0;
        await Requests.SampleAsync(
            async request =>
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                var answer = await BadInputTests.PostAsync(app, "/loyalty/" + request.Route, request.Body);

                if (answer is { Status: 200 } or { Status: 400, Code: "pdi_rejected" } && request.Route == "identify")
                    Interlocked.Increment(ref accepted);
                else if (answer is { Status: 404 })
                    BadInputTests.AssertProblem(answer, 404, "session_not_found");
                else if (answer is { Status: 422 } && request.Route == "identify")
                    BadInputTests.AssertProblem(answer, 422, "idempotency_key_reused");
                else
                    BadInputTests.AssertProblem(answer, 400, "validation_failed");
            },
            iter: Mutants,
            threads: 2,
            print: request => $"{request.Route}: {Encoding.UTF8.GetString(request.Body)} ({Convert.ToHexString(request.Body)})");

        Assert.InRange(await app.CountSessionsAsync(), 0, accepted);
        Assert.InRange(await app.Pdi.CallsAsync("identify"), 0, accepted);
    }
}
