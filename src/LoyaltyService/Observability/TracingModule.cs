using LoyaltyService.Configuration;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LoyaltyService.Observability;

/// <summary>
/// Traces over OTLP, only where a collector is configured. What is sampled, the protocol and the headers are OpenTelemetry's own
/// variables (OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_PROTOCOL, …), read by it.
/// </summary>
internal static class TracingModule
{
    public static void AddTracing(this WebApplicationBuilder builder, Settings settings)
    {
        if (settings.OtlpEndpoint is not { } endpoint)
            return;

        // It may have come from a file, of which OpenTelemetry knows nothing.
        builder.Configuration[EnvironmentVariables.OtlpEndpoint.Name] = endpoint.AbsoluteUri;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource
                .AddService(LogLine.Service, serviceVersion: Release.Full)
                // What the operator says wins.
                .AddEnvironmentVariableDetector())
            .WithTracing(static tracing => tracing
                .AddAspNetCoreInstrumentation(static requests => requests.Filter = static context => !IsProbe(context.Request.Path))
                // The runtime's own spans of outgoing requests, which is to say PDI's, and Npgsql's of its commands.
                .AddSource("System.Net.Http", "Npgsql", Tracing.SourceName)
                .AddOtlpExporter());
    }

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics");
}
