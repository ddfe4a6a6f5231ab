using LoyaltyService.Configuration;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LoyaltyService.Observability;

/// <summary>
/// Traces over OTLP, only if a collector is configured. OpenTelemetry's own variables (OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_PROTOCOL, …) set sampling,
/// protocol and headers.
/// </summary>
internal static class TracingModule
{
    public static void AddTracing(this WebApplicationBuilder builder, Settings settings)
    {
        if (settings.OtlpEndpoint is not { } endpoint)
            return;

        // The value may come from a file, which OpenTelemetry does not read.
        builder.Configuration[EnvironmentVariables.OtlpEndpoint.Name] = endpoint.AbsoluteUri;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource
                .AddService(LogLine.Service, serviceVersion: Release.Full)
                // The operator's attributes win.
                .AddEnvironmentVariableDetector())
            .WithTracing(static tracing => tracing
                .AddAspNetCoreInstrumentation(static requests => requests.Filter = static context => !IsProbe(context.Request.Path))
                // The runtime's own spans of outgoing requests (PDI's), and Npgsql's of its commands.
                .AddSource("System.Net.Http", "Npgsql", Tracing.SourceName)
                .AddOtlpExporter());
    }

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics");
}
