using LoyaltyService.Configuration;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LoyaltyService.Security;

/// <summary>
/// The issuer of the bearer tokens: its metadata and its public keys, fetched at the first token and again when a token names a key that
/// is not known. What was fetched stays good while the authority is away. Before the first answer nobody can tell a good token from a bad
/// one; then it is asked every few seconds at most, and tokens are 503 meanwhile, because a 401 would make callers throw good ones away.
/// An authority that hangs holds a few callers and no more: anybody can make up a token, and each that waits has the place of a request.
/// </summary>
internal sealed partial class Authority : IDocumentRetriever, IDisposable
{
    /// <summary>How long callers with a token wait for an authority that does not answer; other callers do not wait.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>How long an authority that did not answer is left alone.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>How soon keys are fetched again for a key that is not known: who makes names up must not make the service ask all the time.</summary>
    public static readonly TimeSpan KeyInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long a key that the authority has withdrawn may still be good.</summary>
    public static readonly TimeSpan WithdrawnWithin = TimeSpan.FromMinutes(10);

    /// <summary>Callers that wait for the first answer: a tenth of the requests that may be in work, and more than come in the moment that it takes.</summary>
    public const int MaxWaiting = 100;

    // A few keys have a few kilobytes.
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
            // A key that the authority has withdrawn is not to be tried once more.
            UseLastKnownGoodConfiguration = false,
        };
    }

    public ConfigurationManager<OpenIdConnectConfiguration> Keys { get; }

    /// <summary>Returns when the keys are known, at once from then on.</summary>
    /// <exception cref="InvalidOperationException">They are not known: the authority gives none, or as many callers as may wait for it.</exception>
    public async Task HaveKeysAsync(CancellationToken cancellationToken)
    {
        if (firstFetch is { IsCompletedSuccessfully: true })
            return;
        try
        {
            if (Interlocked.Increment(ref waiting) > MaxWaiting)
                throw new InvalidOperationException("As many callers as may wait for the authority's keys do so.");
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

    /// <summary>One for all who wait: a caller that leaves makes room at once, and does not break it off for the others.</summary>
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
        [LoggerMessage(EventName = "AuthorityAway", Level = LogLevel.Error, Message = "JWT_AUTHORITY gave no keys: {reason}")]
        public static partial void AuthorityAway(ILogger logger, string reason);
    }
}
