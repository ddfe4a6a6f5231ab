using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace PdiSimulator.OAuth;

/// <summary>The valid access tokens, in memory only. After a restart callers get a 401 and renew, as with PDI.</summary>
internal sealed class AccessTokens(SimulatorOptions options, TimeProvider clock)
{
    private const int TokenBytes = 32;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _expiryByToken = new();

    public string Issue()
    {
        var now = clock.GetUtcNow();

        // A caller requests a token about once an hour, so this sweep is rare.
        foreach (var (old, expiry) in _expiryByToken)
        {
            if (expiry <= now)
                _expiryByToken.TryRemove(old, out _);
        }

        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        _expiryByToken[token] = now + options.TokenLifetime;
        return token;
    }

    public bool IsGood(string token) => _expiryByToken.TryGetValue(token, out var expiry) && clock.GetUtcNow() < expiry;

    public void RevokeAll() => _expiryByToken.Clear();
}
