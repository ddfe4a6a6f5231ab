using System.Net;
using Microsoft.AspNetCore.Connections;
using PdiSimulator.Calls;
using PdiSimulator.Faults;
using PdiSimulator.Loyalty;
using PdiSimulator.OAuth;
using PdiSimulator.Storage;

namespace PdiSimulator;

/// <summary>Stands in for PDI: serves its wire contract, keeps a durable ledger and fails on demand.</summary>
public static class Program
{
    // The largest valid request is a basket of a few thousand items.
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
            // One line helps the operator more than a stack trace.
            await Console.Error.WriteLineAsync(mistake.Message + " See --help.");
            return 2;
        }
        catch (IOException failure) when (failure.InnerException is AddressInUseException)
        {
            // Usually another simulator, with its own ledger and faults.
            await Console.Error.WriteLineAsync(failure.Message + " Choose another port with --port.");
            return 3;
        }
    }

    /// <summary>
    /// Builds a simulator that is ready to start. It reads only <paramref name="args"/>, so another executable can host it beside its own
    /// web application. Once started, <see cref="WebApplication.Urls"/> holds its address.
    /// </summary>
    /// <exception cref="SimulatorOptionException">An option is unknown or its value is invalid.</exception>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">The ledger cannot be opened.</exception>
    public static WebApplication Build(string[] args) => Build(args, TimeProvider.System);

    internal static WebApplication Build(string[] args, TimeProvider clock)
    {
        var options = SimulatorOptions.Parse(args);

        // The empty builder reads no environment variables and no appsettings.json: those belong to the host application.
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

        // A failed start throws. The host would only log it a second time.
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

        // Opens the ledger now: an unusable one fails the start, not the first call.
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
