using LoyaltyService.Configuration;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LoyaltyService.Security;

/// <summary>
/// The issuer of the bearer tokens: its metadata and public keys. Fetched at the first token, and again when a token names an unknown key.
/// Fetched keys stay valid while the authority is down. Before the first fetch succeeds, no token can be verified: the service retries every few
/// seconds and returns 503, because callers would discard a valid token after a 401. A hanging authority blocks a limited number of callers:
/// anyone can forge a token, and each waiting caller holds a request slot.
/// </summary>
internal sealed partial class Authority : IDocumentRetriever, IDisposable
{
    /// <summary>How long callers with a token wait for an unresponsive authority. Other callers do not wait.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>Backoff after a failed fetch.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Minimum time between two fetches for unknown keys, so that made-up key names do not cause a fetch each.</summary>
    public static readonly TimeSpan KeyInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long a key that the authority withdrew may remain valid.</summary>
    public static readonly TimeSpan WithdrawnWithin = TimeSpan.FromMinutes(10);

    /// <summary>Callers that may wait for the first fetch: a tenth of the request slots, and more than arrive during a normal fetch.</summary>
    public const int MaxWaiting = 100;

    // A few keys take a few kilobytes.
    private const int MaxDocumentBytes = 1024 * 1024;

    private readonly HttpClient http = new() { Timeout = Timeout, MaxResponseContentBufferSize = MaxDocumentBytes };
    private readonly HttpDocumentRetriever documents;
    private readonly TimeProvider clock;
    private readonly ILogger<Authority> logger;
    private readonly Lock gate = new();
    private (long At, IOException Error)? failure;
    private volatile Task? firstFetch;
    private int waiting;

    public Authority(Settings settings, TimeProvider clock, ILogger<Authority> logger)
    {
        this.clock = clock;
        this.logger = logger;
        documents = new HttpDocumentRetriever(http) { RequireHttps = settings.Environment is AppEnvironment.Production };
        Keys = new ConfigurationManager<OpenIdConnectConfiguration>(
            settings.JwtAuthority!.AbsoluteUri.TrimEnd('/') + "/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(), this)
        {
            RefreshInterval = KeyInterval,
            AutomaticRefreshInterval = WithdrawnWithin,
            // Do not retry with a key that the authority withdrew.
            UseLastKnownGoodConfiguration = false,
        };
    }

    public ConfigurationManager<OpenIdConnectConfiguration> Keys { get; }

    /// <summary>Waits until the keys are known; returns immediately from then on.</summary>
    /// <exception cref="InvalidOperationException">The fetch failed, or too many callers wait for it.</exception>
    public async Task HaveKeysAsync(CancellationToken cancellationToken)
    {
        if (firstFetch is { IsCompletedSuccessfully: true })
            return;
        try
        {
            if (Interlocked.Increment(ref waiting) > MaxWaiting)
                throw new InvalidOperationException("Too many callers wait for the authority's keys.");
            await FetchAsync().WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
    {
        if (failure is { } last && clock.GetElapsedTime(last.At) < Pause)
            throw last.Error;
        try
        {
            var document = await documents.GetDocumentAsync(address, cancel);
            failure = null;
            return document;
        }
        catch (IOException unreachable)
        {
            failure = (clock.GetTimestamp(), unreachable);
            Log.AuthorityAway(logger, (unreachable.InnerException ?? unreachable).GetType().Name);
            throw;
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>One fetch for all waiting callers. A caller that leaves frees its slot at once, and does not cancel the fetch.</summary>
    private Task FetchAsync()
    {
        lock (gate)
        {
            if (firstFetch is null or { IsCompleted: true, IsCompletedSuccessfully: false })
                firstFetch = Keys.GetConfigurationAsync(CancellationToken.None);
            return firstFetch;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "AuthorityAway", Level = LogLevel.Error, Message = "Fetching keys from JWT_AUTHORITY failed: {reason}")]
        public static partial void AuthorityAway(ILogger logger, string reason);
    }
}
