using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace PdiSimulator.OAuth;

/// <summary>The access tokens that are good now. They live in memory only: after a restart callers get a 401 and renew, as with PDI.</summary>
internal sealed class AccessTokens(SimulatorOptions options, TimeProvider clock)
{
    private const int TokenBytes = 32;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _expiryByToken = new();

    public string Issue()
    {
        var now = clock.GetUtcNow();

        // Tokens are asked for about once an hour and caller, so the sweep here is rare and keeps the dictionary small.
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
