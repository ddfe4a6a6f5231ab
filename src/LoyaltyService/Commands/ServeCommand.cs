using System.CommandLine;
using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary><c>serve</c>, which also runs when no command is given.</summary>
internal static partial class ServeCommand
{
    public const string Name = "serve";

    public static Command Create()
    {
        var hostOptions = new Argument<string[]>("host-option")
        {
            Description = "Settings of ASP.NET Core's host, as --Key=value or --Key value; --urls for example.",
            Arity = ArgumentArity.ZeroOrMore,
            // Names that this program does not know are the host's.
            CaptureRemainingTokens = true,
        };
        var command = new DocumentedCommand(Name, "Serves until SIGTERM or SIGINT, then finishes requests in flight. Runs when no command is given.")
        {
            Variables = [.. EnvironmentVariables.All.Select(static variable => (variable.Name, Describe(variable))), ("NAME_FILE", "For each NAME above: the path of a file with the value.")],
            Exits =
            [
                (0, "The service has stopped after a signal."),
                (ExitCodes.Unavailable, "The database is unavailable, or the port is taken."),
                (ConfigurationException.ExitCode, "The configuration is not usable; standard error lists every mistake."),
            ],
        };
        command.Add(hostOptions);
        command.SetAction(parsed => RunAsync(parsed.GetValue(hostOptions) ?? [], parsed.InvocationConfiguration));
        return command;
    }

    private static async Task<int> RunAsync(string[] hostOptions, InvocationConfiguration invocation)
    {
        await using var app = Program.Build(hostOptions);
        try
        {
            await app.StartAsync();
        }
        // Kestrel throws it if it cannot bind to its address.
        catch (IOException busy)
        {
            Log.StartFailed(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Program).FullName!), busy.Message);
            await invocation.Error.WriteLineAsync(busy.Message);
            return ExitCodes.Unavailable;
        }

        await app.WaitForShutdownAsync();
        return 0;
    }

    private static string Describe(EnvironmentVariable variable) => variable switch
    {
        { Default: { } standard } => $"{variable.Description} Default: {standard}.",
        { Required: not "no" and var required } => $"{variable.Description} Required: {required}.",
        _ => variable.Description,
    };

    private static partial class Log
    {
        [LoggerMessage(EventName = "StartFailed", Level = LogLevel.Critical, Message = "The service cannot start: {reason}")]
        public static partial void StartFailed(ILogger logger, string reason);
    }
}
