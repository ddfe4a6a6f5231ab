using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService;

/// <summary>The words that the program understands; without one it serves.</summary>
internal static class CommandLine
{
    private const string Usage = """
        usage: LoyaltyService            serve
               LoyaltyService migrate    bring the database's schema up to date and end
        """;

    /// <returns>The process's exit code: 0, 64 for a word that is not known, 69 without its database, 78 for a configuration that cannot be used.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            switch (args)
            {
                case [] or [['-', '-', ..], ..]:
                    await using (var app = Program.Build(args))
                        await app.RunAsync();
                    return 0;
                case ["migrate"]:
                    // Building the service runs the migrations; nothing is served.
                    await using (Program.Build([], static builder => builder.Configuration["AUTO_MIGRATE"] = "true"))
                        return 0;
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

    // sysexits.h
    private static class ExitCodes
    {
        public const int Usage = 64;
        public const int Unavailable = 69;
    }
}
