using System.Globalization;
using System.Net;
using PdiSimulator.Faults;

namespace PdiSimulator;

internal sealed record SimulatorOptions
{
    public const string Help = """
        PDI simulator: PDI's wire contract, a durable ledger, and faults on demand.

          --host ADDRESS            address to listen on (127.0.0.1)
          --port NUMBER             port to listen on, 0 for any free port (4010)
          --ledger PATH             SQLite file of the ledger, or :memory: (pdi-ledger.db)
          --durable                 flush every commit to disk, to survive a power cut as well as a kill
          --client-id TEXT          OAuth client id (loyalty)
          --client-secret TEXT      OAuth client secret (simulator-secret)
          --token-lifetime SECONDS  lifetime of an access token (3600)
          --fault SPEC              fault to arm at startup; repeatable
                                    SPEC is operation:kind or operation:kind:name=value,name=value
                                    for example finalize:commit-then-hang:count=1
          --help                    show this text

        """;

    public IPAddress Host { get; init; } = IPAddress.Loopback;

    public int Port { get; init; } = 4010;

    public string LedgerPath { get; init; } = "pdi-ledger.db";

    public bool Durable { get; init; }

    public string ClientId { get; init; } = "loyalty";

    public string ClientSecret { get; init; } = "simulator-secret";

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromHours(1);

    public IReadOnlyList<(FaultTarget Target, Fault Fault)> Faults { get; init; } = [];

    public static bool AsksForHelp(string[] args) => args.Contains("--help") || args.Contains("-h");

    public static SimulatorOptions Parse(string[] args)
    {
        var options = new SimulatorOptions();

        for (var next = 0; next < args.Length; next++)
        {
            // Accepts "--port 4010" and "--port=4010". The value of --fault may contain more equals signs.
            var (name, value) = args[next].Split('=', 2) is [var left, var right] ? (left, right) : (args[next], null);

            if (name == "--durable" && value is null)
            {
                options = options with { Durable = true };
                continue;
            }

            value ??= ++next < args.Length ? args[next] : throw new SimulatorOptionException($"{name} needs a value.");
            options = options.With(name, value);
        }

        return options;
    }

    private SimulatorOptions With(string name, string value) => name switch
    {
        "--host" => this with { Host = ParseHost(value) },
        "--port" => this with { Port = ParseNumber(name, value, 0, IPEndPoint.MaxPort) },
        "--ledger" => this with { LedgerPath = value },
        "--client-id" => this with { ClientId = value },
        "--client-secret" => this with { ClientSecret = value },
        "--token-lifetime" => this with { TokenLifetime = TimeSpan.FromSeconds(ParseNumber(name, value, 1, int.MaxValue)) },
        "--fault" => this with { Faults = [.. Faults, FaultText.Parse(value)] },
        _ => throw new SimulatorOptionException($"{name} is not a known option."),
    };

    private static IPAddress ParseHost(string value) => value switch
    {
        "localhost" => IPAddress.Loopback,
        _ when IPAddress.TryParse(value, out var address) => address,
        _ => throw new SimulatorOptionException($"--host must be an IP address or localhost, not '{value}'."),
    };

    private static int ParseNumber(string name, string value, int lowest, int highest) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= lowest && number <= highest
            ? number
            : throw new SimulatorOptionException($"{name} must be a number from {lowest} to {highest}, not '{value}'.");
}

/// <summary>A command-line option is unknown or its value is invalid.</summary>
public sealed class SimulatorOptionException(string message) : Exception(message);
