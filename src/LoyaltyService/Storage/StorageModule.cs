using LoyaltyService.Configuration;
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
                builder.Services.AddSingleton(services => new PostgresDatabase(
                    PostgresDatabase.CreateSource(postgres),
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<ILogger<PostgresDatabase>>()));
                break;
            case SqliteUrl sqlite:
                builder.Services.AddSingleton(_ => new SqliteDatabase(sqlite.SqlitePath));
                break;
        }

        if (settings.Redis is RedisServerUrl redis)
            builder.Services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(redis.ToConfigurationOptions()));
    }

    /// <summary>Brings the schema up to date before the service listens, unless AUTO_MIGRATE is off.</summary>
    public static void MigrateStorage(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        if (settings.AutoMigrate)
            Migrator.Run(settings.Database, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Migrator).FullName!));
    }
}
