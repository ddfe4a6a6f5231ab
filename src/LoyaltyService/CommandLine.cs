using System.Runtime.InteropServices;
using LoyaltyService.Commands;
using LoyaltyService.Configuration;
using LoyaltyService.Jobs;
using LoyaltyService.Security;
using LoyaltyService.Storage;

namespace LoyaltyService;

/// <summary>The words that the program understands; without one it serves.</summary>
internal static partial class CommandLine
{
    private const string Usage = """
        usage: LoyaltyService                       serve
               LoyaltyService migrate [--dry-run]   bring the database's schema up to date and end; or only print the SQL that would do it
               LoyaltyService job NAME              run a job now and end; without a name: list them
               LoyaltyService key create NAME [--scope loyalty|ops|loyalty+ops]
                                                    make a key and print its secret, once, with the entry for API_KEYS
               LoyaltyService check-config          read the configuration, say what it comes to, and end
               LoyaltyService healthcheck           ask the service on this machine whether it works, and end
               LoyaltyService smoke URL [--prometheus URL]
                                                    make a sale at a service that is deployed, look at its health and metrics, and end;
                                                    SMOKE_API_KEY is the key to do it with, SMOKE_CUSTOMER_ID the customer (CUST-12345)
        """;

    /// <returns>The process's exit code: 0, 1 for a health check or a smoke test that fails, 64 for a word that is not known, 69 without its database or its port, 70 for a job that failed, 75 for one that is being run already, 78 for a configuration that cannot be used.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            switch (args)
            {
                case [] or [['-', '-', ..], ..]:
                    return await ServeAsync(args);
                case ["migrate"]:
                    // Building the service runs the migrations; nothing is served.
                    await using (Program.Build([], static builder => builder.Configuration["AUTO_MIGRATE"] = "true"))
                        return 0;
                case ["migrate", "--dry-run"]:
                    return await Migrate.DryRunAsync(Console.Out);
                case ["check-config"]:
                    return await CheckConfig.RunAsync(Environment.GetEnvironmentVariable, Console.Out);
                case ["healthcheck"]:
                    return await HealthCheck.RunAsync();
                case ["smoke", var url, .. var more] when SmokeOptions.Parse(url, more, Environment.GetEnvironmentVariable) is { } options:
                    return await Smoke.RunAsync(options, Console.Out);
                case ["job", .. var name] when name.Length < 2:
                    await using (var app = Program.Build([]))
                        return await RunJobAsync(app.Services.GetRequiredService<JobRunner>(), name.FirstOrDefault());
                case ["key", "create", var name]:
                    return await CreateKeyAsync(name, Scopes.Loyalty);
                case ["key", "create", var name, "--scope", var scope]:
                    return await CreateKeyAsync(name, scope);
                default:
                    await Console.Error.WriteLineAsync(Usage);
                    return ExitCodes.Usage;
            }
        }
        catch (ConfigurationException unusable)
        {
            unusable.Write(Console.Error);
            return ConfigurationException.ExitCode;
        }
        catch (DatabaseUnavailableException unavailable)
        {
            await Console.Error.WriteLineAsync($"{unavailable.Message} {unavailable.InnerException?.Message}");
            return ExitCodes.Unavailable;
        }
    }

    private static async Task<int> ServeAsync(string[] args)
    {
        await using var app = Program.Build(args);
        try
        {
            await app.StartAsync();
        }
        // The server's word for an address that it cannot listen at.
        catch (IOException busy)
        {
            Log.StartFailed(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Program).FullName!), busy.Message);
            await Console.Error.WriteLineAsync(busy.Message);
            return ExitCodes.Unavailable;
        }

        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task<int> CreateKeyAsync(string name, string scope)
    {
        var (key, problem) = CreateKey.For(name, scope);
        if (key is null)
        {
            await Console.Error.WriteLineAsync(problem);
            return ExitCodes.Usage;
        }

        await Console.Out.WriteLineAsync($"""
            The secret, for X-Api-Key. It is shown this once and kept nowhere:
            {key.Secret}

            The entry for API_KEYS, which tells nobody the secret:
            {key.Entry}
            """);
        return 0;
    }

    private static async Task<int> RunJobAsync(JobRunner runner, string? name)
    {
        if (runner.Jobs.FirstOrDefault(job => job.Name == name) is not { } job)
        {
            await (name is null ? Console.Out : Console.Error).WriteLineAsync(string.Join('\n', runner.Jobs.Select(known => $"{known.Name,-20}{known.Schedule}")));
            return name is null ? 0 : ExitCodes.Usage;
        }

        if (await runner.ClaimByHandAsync(job, new AuditEntry(Operator.OfCommandLine(), JobEndpoints.RunJob, job.Name), CancellationToken.None) is not { } run)
        {
            await Console.Error.WriteLineAsync($"{name} is being run already.");
            return ExitCodes.TryAgain;
        }

        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal));
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal));
        return await runner.RunAsync(job, run, stop.Token) ? 0 : ExitCodes.Software;

        // What is begun is brought to the end of its batch; the run has failed, and the next one does what is left.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "StartFailed", Level = LogLevel.Critical, Message = "The service cannot start: {reason}")]
        public static partial void StartFailed(ILogger logger, string reason);
    }
}
