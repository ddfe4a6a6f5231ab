using System.Globalization;
using LoyaltyService.Privacy;
using StackExchange.Redis;

namespace LoyaltyService.Configuration;

internal sealed record RedisServerUrl(HostPort Server, bool Ssl, string? User, [property: Secret] string? Password, int Database) : RedisUrl
{
    public const int DefaultPort = 6379;

    /// <summary>Reads a URL without its scheme.</summary>
    public static Parsed<RedisUrl> ParseServer(string text, bool ssl)
    {
        var rest = text.AsSpan();
        // redis://word@host means a user to some clients and a password to others.
        var credentials = UrlCredentials.TakeFrom(ref rest, needsUser: false, new ParseError("must have user:password@ or :password@ before the host"));
        if (!credentials.Succeeded)
            return new Parsed<RedisUrl>(credentials.Problems);
        if (rest.Contains('@'))
            return new ParseError("must have only one @, between the password and the host; write @ in a password as %40");
        if (rest.ContainsAny('?', '#'))
            return new ParseError("must have no parameters; they are fixed by the service");

        var slash = rest.IndexOf('/');
        var path = slash < 0 ? "" : rest[(slash + 1)..];
        var database = 0;
        if (!path.IsEmpty && !int.TryParse(path, NumberStyles.None, CultureInfo.InvariantCulture, out database))
            return new ParseError("must have the number of a database after the slash, such as /0");

        var server = HostPort.Parse(slash < 0 ? rest : rest[..slash], DefaultPort, allowSocket: false);
        return server.Succeeded
            ? new RedisServerUrl(server.Value, ssl, credentials.Value.User is "" ? null : credentials.Value.User, credentials.Value.Password, database)
            : new Parsed<RedisUrl>(server.Problems);
    }

    public ConfigurationOptions ToConfigurationOptions()
    {
        var options = new ConfigurationOptions
        {
            // The service must start, and go on, without Redis; the default would throw at start.
            AbortOnConnectFail = false,
            // By default commands queue for seconds while the connection is down, and the till waits with them.
            BacklogPolicy = BacklogPolicy.FailFast,
            // A server in the same network answers in milliseconds; a second allows for one lost packet.
            ConnectTimeout = 1000,
            // By default the pause between two tries grows to 10 s; a Redis that comes back is used again sooner, however long it was away.
            ReconnectRetryPolicy = new LinearRetry(1000),
            // After that a command is given up; a till has gone on long before (RedisBreaker).
            AsyncTimeout = 250,
            SyncTimeout = 250,
            // Timeouts are only noticed on a heartbeat; at the default of a second 250 ms would mean up to 1.25 s.
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            DefaultDatabase = Database,
            Ssl = Ssl,
            User = User,
            Password = Password,
        };
        options.EndPoints.Add(Server.Host, Server.Port);
        if (Ssl)
            options.SslHost = Server.Host;
        return options;
    }

    /// <summary>Where, not who: without user and password.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Ssl ? "rediss" : "redis")}://{Server}/{Database}");
}
