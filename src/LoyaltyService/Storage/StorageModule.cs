using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace LoyaltyService.Storage;

/// <summary>The durable store, PostgreSQL or one SQLite file, and the volatile one, Redis or this process's memory.</summary>
internal static partial class StorageModule
{
    public static void AddStorage(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(StorageErrors.All);
        builder.Services.AddFeatureMetrics<StorageMetrics>();
        switch (settings.Database)
        {
            case PostgresUrl postgres:
                builder.Services.TryAddSingleton<PostgresLimits>();
                builder.Services.AddSingleton(services => new PostgresDatabase(
                    new PostgresPools(postgres, services.GetRequiredService<PostgresLimits>()),
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<StorageMetrics>(),
                    services.GetRequiredService<ILogger<PostgresDatabase>>()));
                break;
            case SqliteUrl sqlite:
                builder.Services.AddSingleton(_ => new SqliteDatabase(sqlite.SqlitePath));
                break;
        }

        if (settings.Redis is RedisServerUrl redis)
        {
            builder.Services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(redis.ToConfigurationOptions()));
            builder.Services.AddSingleton<RedisBreaker>();
        }
    }

    /// <summary>Before the service listens: migrates the schema, unless AUTO_MIGRATE is off, and connects to Redis.</summary>
    public static void PrepareStorage(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        if (settings.AutoMigrate)
            Migrate(app, settings);
        // So that the first caller does not wait for it. An absent Redis is connected to later, in the background.
        app.Services.GetService<IConnectionMultiplexer>();
    }

    private static void Migrate(WebApplication app, Settings settings)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Migrator).FullName!);
        try
        {
            Migrator.Run(settings.Database, logger);
        }
        catch (DatabaseUnavailableException unavailable)
        {
            Log.StartFailed(logger, unavailable.Message, unavailable.InnerException?.Message);
            // This ends the process, and the log is written in the background.
            ((IDisposable)app).Dispose();
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "StartFailed", Level = LogLevel.Critical, Message = "The service cannot start: {reason} {cause}")]
        public static partial void StartFailed(ILogger logger, string reason, string? cause);
    }
}
