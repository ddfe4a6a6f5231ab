using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using LoyaltyService.Commands;
using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService;

/// <summary>Composes the commands and runs the one that the arguments name.</summary>
internal static class CommandLine
{
    /// <returns>The exit code of the process; see <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, InvocationConfiguration? invocation = null)
    {
        invocation ??= new InvocationConfiguration();
        // The host and `job` handle the signals, and need longer than the library's two seconds to stop.
        invocation.ProcessTerminationTimeout = null;
        invocation.EnableDefaultExceptionHandler = false;
        var parsed = Parse(args);
        var isMistake = parsed.Action is ParseErrorAction;
        if (isMistake)
            invocation.Output = invocation.Error;

        try
        {
            var exitCode = await parsed.InvokeAsync(invocation);
            return isMistake ? ExitCodes.Usage : exitCode;
        }
        catch (ConfigurationException unusable)
        {
            unusable.Write(invocation.Error);
            return ConfigurationException.ExitCode;
        }
        catch (DatabaseUnavailableException unavailable)
        {
            await invocation.Error.WriteLineAsync($"{unavailable.Message} {unavailable.InnerException?.Message}");
            return ExitCodes.Unavailable;
        }
    }

    internal static RootCommand Compose()
    {
        var serve = ServeCommand.Create();
        var root = new RootCommand("Serves loyalty sessions between tills and PDI. Without a command it serves. Each command has its own --help.")
        {
            serve,
            MigrateCommand.Create(),
            JobCommand.Create(),
            KeyCommand.Create(),
            CheckConfigCommand.Create(),
            HealthCheckCommand.Create(),
            SmokeCommand.Create(),
        };
        root.HelpName = "LoyaltyService";
        root.Action = serve.Action;
        root.Options.OfType<HelpOption>().Single().Action = new DetailedHelp();
        return root;
    }

    /// <summary>Options without a command are the host's, such as <c>--urls</c>, and belong to <c>serve</c>.</summary>
    internal static ParseResult Parse(string[] args) => Compose().Parse(
        args is [['-', '-', ..] and not ("--help" or "--version"), ..] ? [ServeCommand.Name, .. args] : args,
        new ParserConfiguration { ResponseFileTokenReplacer = null });
}
