using LoyaltyService.Configuration;

namespace LoyaltyService.Security;

/// <summary>
/// Polls the file that API_KEYS_FILE names, so that keys rotate without a restart. A mounted secret is replaced by moving a link, which file
/// watchers miss. An unusable file changes nothing: a bad edit must not stop the tills.
/// </summary>
internal sealed partial class ApiKeyReload(Settings settings, ApiKeyRing ring, TimeProvider clock, ILogger<ApiKeyReload> logger) : BackgroundService
{
    /// <summary>How long a key that was removed from the file may remain valid.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private string? problem;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.ApiKeysFile is null)
            return;
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Look();
    }

    internal void Look()
    {
        var (keys, broken) = Read(settings.ApiKeysFile!);
        if (keys is null)
        {
            // Log a problem once, not at every poll.
            if (broken != problem)
                Log.KeysNotReloaded(logger, broken!);
            problem = broken;
            return;
        }

        problem = null;
        if (keys.SequenceEqual(ring.Keys, SameKey.Comparer))
            return;
        ring.Replace(keys);
        Log.KeysReloaded(logger, keys.Count);
    }

    private static (IReadOnlyList<ApiKey>? Keys, string? Problem) Read(string path)
    {
        string text;
        try
        {
            text = ConfigurationModule.ReadFile(path).TrimEnd('\r', '\n');
        }
        catch (Exception unreadable) when (ConfigurationModule.IsUnreadable(unreadable))
        {
            return (null, $"the file cannot be read ({unreadable.GetType().Name})");
        }

        if (text.Length == 0)
            return (null, "the file is empty");
        var parsed = ApiKeyParser.Parse(text);
        return parsed.Succeeded ? (parsed.Value, null) : (null, string.Join("; ", parsed.Problems.Select(found => found.Description)));
    }

    /// <summary>Compares hashes by content. Records compare arrays by reference.</summary>
    private sealed class SameKey : IEqualityComparer<ApiKey>
    {
        public static readonly SameKey Comparer = new();

        public bool Equals(ApiKey? x, ApiKey? y) =>
            x is not null && y is not null && x.Client == y.Client && x.Scopes == y.Scopes && x.SecretSha256.AsSpan().SequenceEqual(y.SecretSha256);

        public int GetHashCode(ApiKey key) => HashCode.Combine(key.Client, key.Scopes);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "ApiKeysReloaded", Level = LogLevel.Warning, Message = "API keys reloaded: {count} keys")]
        public static partial void KeysReloaded(ILogger logger, int count);

        [LoggerMessage(EventName = "ApiKeysNotReloaded", Level = LogLevel.Error, Message = "API keys not reloaded; the previous keys stay valid: {problem}")]
        public static partial void KeysNotReloaded(ILogger logger, string problem);
    }
}
