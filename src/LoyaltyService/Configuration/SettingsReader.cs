using System.Globalization;
using MimeKit;

namespace LoyaltyService.Configuration;

/// <summary>The rules between the variables, and from their texts to <see cref="Settings"/>. Pure: the environment and the files come from outside.</summary>
internal static class SettingsReader
{
    private const int HoursInYear = 8760;
    private const int MaxArchiveDays = 3650;
    private const int MaxRecipients = 50;

    /// <exception cref="ConfigurationException">Something is missing or wrong; it lists everything that is.</exception>
    public static Settings Read(IReadOnlyDictionary<string, string?> environment, Func<string, string> readFile)
    {
        var lookup = new VariableLookup(environment, readFile);
        var appEnvironment = ReadEnvironment(lookup);
        // When the environment is not known, only errors that hold in every environment are reported.
        var production = appEnvironment == AppEnvironment.Production;
        var allowHttp = lookup.Read(EnvironmentVariables.PdiAllowHttp, Flag);
        var authorityIsSet = lookup.IsSet(EnvironmentVariables.JwtAuthority);
        var mailIsSet = lookup.IsSet(EnvironmentVariables.SmtpUrl);

        var settings = new Settings
        {
            Environment = appEnvironment ?? AppEnvironment.Production,
            Port = ReadPort(lookup),
            HttpsCertificate = lookup.Read(EnvironmentVariables.HttpsCertificate, Text, required: lookup.IsSet(EnvironmentVariables.HttpsKey)),
            HttpsKey = lookup.Read(EnvironmentVariables.HttpsKey, Text, required: lookup.IsSet(EnvironmentVariables.HttpsCertificate)),
            Database = ReadUnlessProduction(EnvironmentVariables.DatabaseUrl, DatabaseUrl.Parse)!,
            Redis = ReadUnlessProduction(EnvironmentVariables.RedisUrl, RedisUrl.Parse)!,
            PdiApiUrl = lookup.Read(EnvironmentVariables.PdiApiUrl, text => PdiUrl(text, httpsOnly: production && !allowHttp), required: true)!,
            PdiClientId = lookup.Read(EnvironmentVariables.PdiClientId, Text, required: true)!,
            PdiClientSecret = lookup.Read(EnvironmentVariables.PdiClientSecret, Text, required: true)!,
            LogLevel = lookup.Read(EnvironmentVariables.LogLevel, Level),
            SessionTtl = TimeSpan.FromHours(lookup.Read(EnvironmentVariables.SessionTtlHours, WholeNumber(1, HoursInYear))),
            ArchiveAfter = TimeSpan.FromDays(lookup.Read(EnvironmentVariables.ArchiveAfterDays, WholeNumber(1, MaxArchiveDays))),
            ApiKeys = lookup.Read(EnvironmentVariables.ApiKeys, ApiKeyParser.Parse, required: production && !authorityIsSet) ?? [],
            ApiKeysFile = lookup.Given(EnvironmentVariables.ApiKeys.FileName),
            JwtAuthority = lookup.Read(EnvironmentVariables.JwtAuthority, text => HttpUrl(text, httpsOnly: production)),
            JwtAudience = lookup.Read(EnvironmentVariables.JwtAudience, Text, required: authorityIsSet),
            RateLimitGlobalPerSecond = lookup.Read(EnvironmentVariables.RateLimitGlobalPerSecond, WholeNumber(0)),
            RateLimitCustomerPerSecond = lookup.Read(EnvironmentVariables.RateLimitCustomerPerSecond, WholeNumber(0)),
            RateLimitIpPerMinute = lookup.Read(EnvironmentVariables.RateLimitIpPerMinute, WholeNumber(0)),
            RateLimitClients = lookup.Read(EnvironmentVariables.RateLimitClients, ClientLimits.Parse) ?? new Dictionary<string, int>(),
            TrustedProxies = lookup.Read(EnvironmentVariables.TrustedProxies, TrustedProxies.Parse) ?? [],
            OtlpEndpoint = lookup.Read(EnvironmentVariables.OtlpEndpoint, text => HttpUrl(text, httpsOnly: false)),
            QueueMaxItems = lookup.Read(EnvironmentVariables.QueueMaxItems, WholeNumber(1)),
            AutoMigrate = lookup.Read(EnvironmentVariables.AutoMigrate, Flag),
            Smtp = lookup.Read(EnvironmentVariables.SmtpUrl, SmtpUrl.Parse),
            MailFrom = lookup.Read(EnvironmentVariables.MailFrom, text => Mailboxes(text, 1), required: mailIsSet)?[0],
            MailTo = lookup.Read(EnvironmentVariables.MailTo, text => Mailboxes(text, MaxRecipients), required: mailIsSet) ?? [],
        };
        return lookup.Errors.Count == 0 ? settings : throw new ConfigurationException(lookup.Errors);

        T? ReadUnlessProduction<T>(EnvironmentVariable variable, Func<string, Parsed<T>> parse)
            where T : notnull =>
            lookup.Read(variable, parse, required: production, fallback: variable.DefaultOutsideProduction);
    }

    /// <summary>The port alone, for a program that only knocks at it.</summary>
    public static int ReadPort(VariableLookup lookup) => lookup.Read(EnvironmentVariables.Port, WholeNumber(0, 65535));

    private static AppEnvironment? ReadEnvironment(VariableLookup lookup)
    {
        var variable = lookup.Given(EnvironmentVariables.AspNetCoreEnvironment) is null
            ? EnvironmentVariables.NodeEnv
            : EnvironmentVariables.NodeEnv with { Name = EnvironmentVariables.AspNetCoreEnvironment };
        var before = lookup.Errors.Count;
        var environment = lookup.Read(variable, EnvironmentName);
        return lookup.Errors.Count == before ? environment : null;
    }

    private static Parsed<AppEnvironment> EnvironmentName(string text) => text.ToUpperInvariant() switch
    {
        "DEVELOPMENT" => AppEnvironment.Development,
        "TEST" => AppEnvironment.Test,
        "PRODUCTION" => AppEnvironment.Production,
        _ => new ParseError("must be development, test or production"),
    };

    private static Parsed<LogLevel> Level(string text) => text.ToUpperInvariant() switch
    {
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARN" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        _ => new ParseError("must be debug, info, warn or error"),
    };

    private static Parsed<bool> Flag(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "1" => true,
        "FALSE" or "0" => false,
        _ => new ParseError("must be true or false"),
    };

    private static Func<string, Parsed<int>> WholeNumber(int least, int most = int.MaxValue) => text =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : new ParseError(string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {least} to {most}"));

    private static Parsed<string> Text(string text) =>
        text.Any(char.IsControl) || string.IsNullOrWhiteSpace(text)
            ? new ParseError("must be one line of text without control characters")
            : text;

    private static Parsed<IReadOnlyList<MailboxAddress>> Mailboxes(string text, int most)
    {
        // A line break here would begin another header of the mail.
        if (text.Any(char.IsControl) || !InternetAddressList.TryParse(text, out var list) || list.Count == 0
            || list.Any(address => address is not MailboxAddress { Address: var mailbox } || !mailbox.Contains('@')))
            return new ParseError("must be addresses such as ops@example.com or Ops <ops@example.com>, separated by commas");
        if (list.Count > most)
            return new ParseError(string.Create(CultureInfo.InvariantCulture, $"must have at most {most} {(most == 1 ? "address" : "addresses")}"));
        return new Parsed<IReadOnlyList<MailboxAddress>>([.. list.Mailboxes]);
    }

    private static Parsed<Uri> PdiUrl(string text, bool httpsOnly)
    {
        var parsed = HttpUrl(text, httpsOnly: false);
        if (parsed.Value is not { } url)
            return parsed;
        if (httpsOnly && url.Scheme != Uri.UriSchemeHttps && !url.IsLoopback)
            return new ParseError("must be an https URL in production, unless the host is loopback or PDI_ALLOW_HTTP is true");
        return url.AbsolutePath.EndsWith('/') ? url : new Uri(url.AbsoluteUri + '/');
    }

    private static Parsed<Uri> HttpUrl(string text, bool httpsOnly)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
            return new ParseError("must be an absolute http or https URL, such as https://service.example.com/");
        if (url.UserInfo.Length > 0)
            return new ParseError("must have no user and no password in it");
        if (url.Query.Length > 0 || url.Fragment.Length > 0)
            return new ParseError("must have no query and no fragment (? or #)");
        if (httpsOnly && url.Scheme != Uri.UriSchemeHttps)
            return new ParseError("must be an https URL in production");
        return url;
    }
}
