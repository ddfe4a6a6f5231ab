using System.CommandLine;
using System.CommandLine.Parsing;

namespace LoyaltyService.Commands;

/// <summary><c>smoke URL [--prometheus URL]</c></summary>
internal static class SmokeCommand
{
    private const string TestCustomer = "CUST-12345";

    public static Command Create()
    {
        var service = new Argument<Uri>("URL") { Description = "The service: a replica, or the load balancer. http or https.", CustomParser = ParseUrl };
        var prometheus = new Option<Uri?>("--prometheus")
        {
            Description = "The Prometheus that scrapes the service. Adds checks: metrics arrive, no alert fires, traffic is normal.",
            HelpName = "URL",
            CustomParser = ParseUrl,
        };
        var command = new DocumentedCommand("smoke", "Makes a sale at a deployed service and checks its health, version and metrics.")
        {
            Variables = [("SMOKE_API_KEY", "The API key of the sale."), ("SMOKE_CUSTOMER_ID", $"The customer of the sale. Default: {TestCustomer}.")],
            Exits = [(0, "All checks passed."), (ExitCodes.Failed, "A check failed."), (ExitCodes.Usage, "The arguments are wrong.")],
        };
        command.Add(service);
        command.Add(prometheus);
        command.SetAction(parsed => Smoke.RunAsync(
            Options(parsed.GetRequiredValue(service), parsed.GetValue(prometheus), Environment.GetEnvironmentVariable), parsed.InvocationConfiguration.Output));
        return command;
    }

    internal static SmokeOptions Options(Uri service, Uri? prometheus, Func<string, string?> find) =>
        new(service, prometheus, find("SMOKE_API_KEY"), find("SMOKE_CUSTOMER_ID") ?? TestCustomer);

    // The trailing slash keeps the path of the URL when a route is appended.
    private static Uri? ParseUrl(ArgumentResult argument)
    {
        var text = argument.Tokens.Single().Value;
        if (Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
            return url;
        argument.AddError($"\"{text}\" is not an http or https URL.");
        return null;
    }
}
