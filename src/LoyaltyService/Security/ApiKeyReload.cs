using LoyaltyService.Configuration;

namespace LoyaltyService.Security;

/// <summary>
/// Reads the file that API_KEYS_FILE names again and again, so that keys are rotated and withdrawn without a restart. By looking, not by
/// watching: a mounted secret is replaced by moving a link, which no watcher sees reliably. A file that cannot be used changes nothing:
/// tills must not stand still because somebody's edit went wrong.
/// </summary>
internal sealed partial class ApiKeyReload(Settings settings, ApiKeyRing ring, TimeProvider clock, ILogger<ApiKeyReload> logger) : BackgroundService
{
    /// <summary>How long a key that was taken out of the file may still be good, at most.</summary>
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
            // Once for each kind of mistake, not with every look.
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

    /// <summary>Records compare arrays by their identity.</summary>
    private sealed class SameKey : IEqualityComparer<ApiKey>
    {
        public static readonly SameKey Comparer = new();

        public bool Equals(ApiKey? x, ApiKey? y) =>
            x is not null && y is not null && x.Client == y.Client && x.Scopes == y.Scopes && x.SecretSha256.AsSpan().SequenceEqual(y.SecretSha256);

        public int GetHashCode(ApiKey key) => HashCode.Combine(key.Client, key.Scopes);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "ApiKeysReloaded", Level = LogLevel.Warning, Message = "The API keys were changed: {count} count from now on")]
        public static partial void KeysReloaded(ILogger logger, int count);

        [LoggerMessage(EventName = "ApiKeysNotReloaded", Level = LogLevel.Error, Message = "The API keys stay as they were: {problem}")]
        public static partial void KeysNotReloaded(ILogger logger, string problem);
    }
}
