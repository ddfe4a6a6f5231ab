using LoyaltyService.Configuration;
using LoyaltyService.Local;
using LoyaltyService.Storage;

// Runs the service and the simulator in one process on SQLite, so a sale needs only the SDK.
// Environment variables (DATABASE_URL, REDIS_URL, PORT, LOG_LEVEL, …) override the defaults below.
const string SimulatorSecret = "simulator-secret";

var folder = Path.GetFullPath(Environment.GetEnvironmentVariable("LOCAL_DATA") ?? "data");
Directory.CreateDirectory(folder);

await using var simulator = PdiSimulator.Program.Build(
[
    "--port", Environment.GetEnvironmentVariable("PDI_PORT") ?? "4010",
    "--ledger", Path.Combine(folder, "pdi-ledger.db"),
    "--client-secret", SimulatorSecret,
]);

try
{
    await simulator.StartAsync();
    var pdi = simulator.Urls.Single();

    await using var service = LoyaltyService.Program.Build([], builder => builder.Configuration.AddDefaults(new()
    {
        ["NODE_ENV"] = "development",
        ["DATABASE_URL"] = "sqlite:" + Path.Combine(folder, "loyalty.db"),
        ["REDIS_URL"] = "memory:",
        ["PDI_API_URL"] = pdi,
        ["PDI_CLIENT_ID"] = "loyalty",
        ["PDI_CLIENT_SECRET"] = SimulatorSecret,
        // curl already prints the answers, so the log shows only problems.
        ["LOG_LEVEL"] = "warn",
        // All local calls come from one address.
        ["RATE_LIMIT_GLOBAL_PER_SECOND"] = "0",
        ["RATE_LIMIT_CUSTOMER_PER_SECOND"] = "0",
        ["RATE_LIMIT_IP_PER_MINUTE"] = "0",
    }));
    await service.StartAsync();
    Console.WriteLine(Welcome.Text(new Uri(service.Urls.First()).Port, pdi, folder));
    await service.WaitForShutdownAsync();
    return 0;
}
catch (ConfigurationException unusable)
{
    unusable.Write(Console.Error);
    return ConfigurationException.ExitCode;
}
catch (DatabaseUnavailableException unavailable)
{
    Console.Error.WriteLine($"{unavailable.Message} {unavailable.InnerException?.Message}");
    return 69;
}
catch (IOException busy)
{
    Console.Error.WriteLine($"Cannot start: {busy.Message} Set PORT or PDI_PORT to a free port, or stop the program that uses it.");
    return 69;
}
