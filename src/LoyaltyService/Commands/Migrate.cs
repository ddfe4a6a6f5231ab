using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.Commands;

/// <summary><c>migrate --dry-run</c>: what <c>migrate</c> would do to the database as it is now.</summary>
internal static class Migrate
{
    public static Task<int> DryRunAsync(TextWriter output) => DryRunAsync(
        SettingsReader.Read(ConfigurationModule.Environment(Environment.GetEnvironmentVariable), ConfigurationModule.ReadFile).Database, output);

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
}
