using System.Net;
using Microsoft.AspNetCore.Connections;
using PdiSimulator.Calls;
using PdiSimulator.Faults;
using PdiSimulator.Loyalty;
using PdiSimulator.OAuth;
using PdiSimulator.Storage;

namespace PdiSimulator;

/// <summary>A stand-in for PDI that speaks its wire contract, keeps a durable ledger and fails on demand.</summary>
public static class Program
{
    // The largest legal call is a basket of a few thousand items; the rest is a mistake of the caller.
    private const int MaxRequestBodyBytes = 1024 * 1024;

    public static async Task<int> Main(string[] args)
    {
        if (SimulatorOptions.AsksForHelp(args))
        {
            Console.Write(SimulatorOptions.Help);
            return 0;
        }

        try
        {
            await using var app = Build(args);
            await app.StartAsync();
            Console.WriteLine($"PDI simulator listens on {app.Urls.Single()}");
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (SimulatorOptionException mistake)
        {
            // A wrong option is the operator's to correct: one line says more than a stack trace.
            await Console.Error.WriteLineAsync(mistake.Message + " See --help.");
            return 2;
        }
        catch (IOException failure) when (failure.InnerException is AddressInUseException)
        {
            // Most often another simulator, whose ledger and faults are not this one's.
            await Console.Error.WriteLineAsync(failure.Message + " Use --port for another one.");
            return 3;
        }
    }

    /// <summary>
    /// Builds a simulator that is ready to start. Everything it knows comes from <paramref name="args"/>, so that another executable can
    /// run it beside its own web application; once started, <see cref="WebApplication.Urls"/> holds its address.
    /// </summary>
    /// <exception cref="SimulatorOptionException">An option is unknown or has an impossible value.</exception>
    public static WebApplication Build(string[] args) => Build(args, TimeProvider.System);

    internal static WebApplication Build(string[] args, TimeProvider clock)
    {
        var options = SimulatorOptions.Parse(args);

        // The empty builder reads no environment variables and no appsettings.json: those belong to whoever hosts the simulator.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = nameof(PdiSimulator),
            ContentRootPath = AppContext.BaseDirectory,
        });

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBodyBytes;
            kestrel.Listen(new IPEndPoint(options.Host, options.Port));
        });
        builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning);

        // A start that fails throws; the host's own report of it would only say so twice.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        builder.Services.AddRoutingCore();
        builder.Services.ConfigureHttpJsonOptions(json => SimulatorJson.Configure(json.SerializerOptions));
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<CallCounts>();
        builder.Services.AddSingleton<Outage>();
        builder.Services.AddSingleton(new ArmedFaults(options.Faults));
        builder.Services.AddSingleton<AccessTokens>();
        builder.Services.AddSingleton<Ledger>();
        builder.Services.AddSingleton<IdentifyCustomer>();
        builder.Services.AddSingleton<CalculateRewards>();
        builder.Services.AddSingleton<FinalizeSession>();
        builder.Services.AddSingleton<GetSessionStatus>();

        var app = builder.Build();

        // Opened now rather than at the first call, so that a ledger that cannot be opened stops the start.
        app.Services.GetRequiredService<Ledger>();

        app.MapOAuth();
        app.MapLoyalty();

        var control = app.MapGroup("/_simulator");
        control.MapFaults();
        control.MapOutage();
        control.MapLedger();
        control.MapCustomers();
        control.MapCalls();
        control.MapTokens();

        return app;
    }
}
