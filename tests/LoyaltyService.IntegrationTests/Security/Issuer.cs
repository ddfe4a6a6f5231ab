using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>A token issuer on a real socket: OpenID metadata, public keys, and the tokens that a test wants signed.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    public const string Audience = "loyalty-service";

    private readonly List<object> published = [];
    private WebApplication app = null!;
    private RSA rsa = RSA.Create(2048);
    private ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int generation;

    /// <summary>Makes it return 503 only.</summary>
    public bool IsAway { get; set; }

    /// <summary>Holds every answer until this has a result.</summary>
    public TaskCompletionSource? Hold { get; set; }

    /// <summary>Completes when a caller disconnects before the answer.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>The number of metadata requests.</summary>
    public int Asked { get; private set; }

    public string Authority => app.Urls.Single();

    public static async Task<Issuer> StartAsync()
    {
        var issuer = new Issuer();
        issuer.Publish();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        issuer.app = builder.Build();
        issuer.app.MapGet("/.well-known/openid-configuration", async (HttpContext context) =>
        {
            issuer.Asked++;
            if (issuer.Hold is { } hold)
            {
                using var leaving = context.RequestAborted.Register(() => issuer.IsGivenUp = true);
                await hold.Task;
            }

            return issuer.Answer(new { issuer = issuer.Authority, jwks_uri = issuer.Authority + "/keys" });
        });
        issuer.app.MapGet("/keys", () => issuer.Answer(new { keys = issuer.published }));
        await issuer.app.StartAsync();
        return issuer;
    }

    /// <summary>Signs with new keys from now on, and optionally keeps the old ones published.</summary>
    public void Rotate(bool withdraw = false)
    {
        rsa.Dispose();
        ec.Dispose();
        (rsa, ec) = (RSA.Create(2048), ECDsa.Create(ECCurve.NamedCurves.nistP256));
        generation++;
        if (withdraw)
            published.Clear();
        Publish();
    }

    /// <summary>A valid token with the given claims replaced. Null omits a claim.</summary>
    public string Token(string algorithm = "RS256", params (string Name, object? Value)[] changes)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Authority,
            ["aud"] = Audience,
            ["sub"] = "shop",
            ["client_id"] = "shop",
            ["scope"] = "loyalty",
            ["iat"] = now,
            ["exp"] = now + 300,
        };
        foreach (var (name, value) in changes)
            claims[name] = value;
        return Signed(new { alg = algorithm, typ = "at+jwt", kid = KeyId(algorithm) }, claims, text => Sign(algorithm, text));
    }

    /// <summary>A forged token, signed with a foreign key that its header contains.</summary>
    public string TokenOfAnother()
    {
        using var own = RSA.Create(2048);
        var claims = JsonSerializer.Deserialize<Dictionary<string, object?>>(Base64Url.DecodeFromChars(Token().Split('.')[1]))!;
        var key = own.ExportParameters(false);
        var jwk = new { kty = "RSA", n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) };
        return Signed(new { alg = "RS256", typ = "at+jwt", jwk }, claims, text => own.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static (string, string) Header(string token) => ("Authorization", "Bearer " + token);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        rsa.Dispose();
        ec.Dispose();
    }

    private static string Signed(object header, Dictionary<string, object?> claims, Func<byte[], byte[]> sign)
    {
        var text = Part(header) + "." + Part(claims.Where(claim => claim.Value is not null).ToDictionary());
        return text + "." + Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)));
    }

    private IResult Answer(object document) => IsAway ? Results.StatusCode(503) : Results.Json(document);

    private string KeyId(string algorithm) => (algorithm.StartsWith("ES", StringComparison.Ordinal) ? "ec-" : "rsa-") + generation;

    private byte[] Sign(string algorithm, byte[] text) => algorithm switch
    {
        "RS256" or "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        "PS256" => rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
        "ES256" => ec.SignData(text, HashAlgorithmName.SHA256),
        // Uses the public key as a shared secret.
        "HS256" => HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), text),
        _ => [],
    };

    private void Publish()
    {
        var (open, point) = (rsa.ExportParameters(false), ec.ExportParameters(false).Q);
        published.Add(new { kty = "RSA", use = "sig", kid = KeyId("RS256"), n = Base64Url.EncodeToString(open.Modulus), e = Base64Url.EncodeToString(open.Exponent) });
        published.Add(new { kty = "EC", use = "sig", crv = "P-256", kid = KeyId("ES256"), x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) });
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
