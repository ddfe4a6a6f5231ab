using System.CommandLine;
using System.Runtime.InteropServices;
using LoyaltyService.Configuration;
using LoyaltyService.Jobs;
using LoyaltyService.Security;

namespace LoyaltyService.Commands;

/// <summary><c>job [NAME]</c></summary>
internal static class JobCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NAME") { Description = "The job to run. Without a name, lists the jobs and their schedules.", Arity = ArgumentArity.ZeroOrOne };
        var command = new DocumentedCommand("job", "Runs a job now, or lists the jobs.")
        {
            Variables = DocumentedCommand.AllVariables,
            Exits =
            [
                (0, "The job is done, or the jobs are listed."),
                (ExitCodes.Usage, "There is no such job, or the arguments are wrong."),
                (ExitCodes.Unavailable, "The database is unavailable."),
                (ExitCodes.Software, "The job failed, or a signal stopped it."),
                (ExitCodes.TryAgain, "The job is already running."),
                (ConfigurationException.ExitCode, "The configuration is not usable."),
            ],
        };
        command.Add(name);
        command.SetAction(async parsed =>
        {
            await using var app = Program.Build([]);
            return await RunAsync(app.Services.GetRequiredService<JobRunner>(), parsed.GetValue(name), parsed);
        });
        return command;
    }

    private static async Task<int> RunAsync(JobRunner runner, string? name, ParseResult parsed)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (runner.Jobs.FirstOrDefault(job => job.Name == name) is not { } job)
        {
            var list = string.Join('\n', runner.Jobs.Select(static known => $"{known.Name,-20}{known.Schedule}"));
            if (name is not null)
                return DetailedHelp.Refuse(parsed, $"There is no job \"{name}\". The jobs are:\n{list}");
            await output.WriteLineAsync(list);
            return 0;
        }

        if (await runner.ClaimByHandAsync(job, new AuditEntry(Operator.OfCommandLine(), JobEndpoints.RunJob, job.Name), CancellationToken.None) is not { } run)
        {
            await error.WriteLineAsync($"{name} is already running.");
            return ExitCodes.TryAgain;
        }

        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal));
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal));
        return await runner.RunAsync(job, run, stop.Token) ? 0 : ExitCodes.Software;

        // The batch in flight is finished. The run counts as failed, and the next one does the rest.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
