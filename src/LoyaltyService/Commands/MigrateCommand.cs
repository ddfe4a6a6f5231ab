using System.CommandLine;
using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.Commands;

/// <summary><c>migrate [--dry-run]</c></summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the SQL of the pending migrations and change nothing." };
        var command = new DocumentedCommand("migrate", "Brings the schema of the database up to date.")
        {
            Variables = DocumentedCommand.AllVariables,
            Exits =
            [
                (0, "The schema is up to date, or the dry run has printed the SQL."),
                (ExitCodes.Unavailable, "The database is unavailable."),
                (ConfigurationException.ExitCode, "The configuration is not usable."),
            ],
        };
        command.Add(dryRun);
        command.SetAction(parsed => parsed.GetValue(dryRun) ? DryRunAsync(parsed.InvocationConfiguration.Output) : RunAsync());
        return command;
    }

    public static async Task<int> DryRunAsync(DatabaseUrl database, TextWriter output)
    {
        var pending = Migrator.Pending(database);
        foreach (var (name, sql) in pending)
            await output.WriteLineAsync($"-- {name}\n{sql}");
        await output.WriteLineAsync(pending.Count switch
        {
            0 => "-- The schema is up to date.",
            1 => "-- 1 migration would be run; nothing was changed.",
            var count => $"-- {count} migrations would be run; nothing was changed.",
        });
        return 0;
    }

    private static Task<int> DryRunAsync(TextWriter output) => DryRunAsync(
        SettingsReader.Read(ConfigurationModule.Environment(Environment.GetEnvironmentVariable), ConfigurationModule.ReadFile).Database, output);

    // Building the service runs the migrations; nothing is served.
    private static async Task<int> RunAsync()
    {
        await using (Program.Build([], static builder => builder.Configuration["AUTO_MIGRATE"] = "true"))
            return 0;
    }
}
