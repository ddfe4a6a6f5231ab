using System.CommandLine;
using LoyaltyService.Configuration;
using LoyaltyService.Security;

namespace LoyaltyService.Commands;

/// <summary><c>key create NAME [--scope SCOPE]</c></summary>
internal static class KeyCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The caller that will use the key, such as till-north." };
        var scope = new Option<string>("--scope")
        {
            Description = "What the key may do: loyalty, ops or loyalty+ops.",
            HelpName = "SCOPE",
            DefaultValueFactory = static _ => Scopes.Loyalty,
        };
        var create = new DocumentedCommand("create", "Creates an API key. Prints its secret, which is stored nowhere, and the entry for API_KEYS.")
        {
            Exits = [(0, "The key is printed."), (ExitCodes.Usage, "The name, the scope or the arguments are wrong.")],
        };
        create.Add(name);
        create.Add(scope);
        create.SetAction(parsed => Run(parsed, parsed.GetRequiredValue(name), parsed.GetRequiredValue(scope)));
        return new Command("key", "Manages API keys.") { create };
    }

    private static int Run(ParseResult parsed, string name, string scope)
    {
        var (key, problem) = CreateKey.For(name, scope);
        if (key is null)
            return DetailedHelp.Refuse(parsed, problem!);

        parsed.InvocationConfiguration.Output.WriteLine($"""
            The secret, for X-Api-Key. It is shown only once and stored nowhere:
            {key.Secret}

            The entry for API_KEYS, which does not reveal the secret:
            {key.Entry}
            """);
        return 0;
    }
}
