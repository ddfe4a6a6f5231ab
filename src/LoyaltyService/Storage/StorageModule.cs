using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace LoyaltyService.Storage;

/// <summary>The two databases: PostgreSQL or one SQLite file for what must last, Redis or this process's memory for what need not.</summary>
internal static class StorageModule
{
    public static void AddStorage(this WebApplicationBuilder builder, Settings settings)
    {
        switch (settings.Database)
        {
            case PostgresUrl postgres:
                builder.Services.TryAddSingleton<PostgresLimits>();
                builder.Services.AddSingleton(services => new PostgresDatabase(
                    new PostgresPools(postgres, services.GetRequiredService<PostgresLimits>()),
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<LoyaltyMetrics>(),
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

    /// <summary>Before the service listens: the schema is brought up to date, unless AUTO_MIGRATE is off, and Redis is connected.</summary>
    public static void PrepareStorage(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        if (settings.AutoMigrate)
            Migrator.Run(settings.Database, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Migrator).FullName!));
        // The first caller shall not wait for it. Redis that is not there is connected to later, in the background.
        app.Services.GetService<IConnectionMultiplexer>();
    }
}
