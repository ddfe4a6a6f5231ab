using LoyaltyService.Http;
using LoyaltyService.Observability;

namespace LoyaltyService.Logging;

/// <summary>The operators' switch for the log.</summary>
internal static class LoggingModule
{
    public static void AddLogLevel(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ChangeLogLevel>();
        builder.Services.AddSingleton(ChangeLogLevel.Action);
        builder.Services.Configure<ApiDescription>(static api =>
        {
            api.Words<LogLevelRequest>("level", LogLevelSwitch.Words);
            api.Words<LogLevelResponse>("level", LogLevelSwitch.Words);
            api.ExampleRequest(new LogLevelRequest("debug"), LoggingJson.Wire.LogLevelRequest);
            api.ExampleAnswer(200, new LogLevelResponse("debug"), LoggingJson.Wire.LogLevelResponse);
        });
    }
}
