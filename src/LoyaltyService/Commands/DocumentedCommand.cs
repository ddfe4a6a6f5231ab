using System.CommandLine;

namespace LoyaltyService.Commands;

/// <summary>A command whose help also lists the environment variables that it reads and its exit codes.</summary>
internal sealed class DocumentedCommand(string name, string description) : Command(name, description)
{
    /// <summary>For a command that reads the whole configuration.</summary>
    public static readonly IReadOnlyList<(string Name, string Meaning)> AllVariables =
        [("(all)", "The configuration of the service, as 'LoyaltyService serve --help' lists it.")];

    public IReadOnlyList<(string Name, string Meaning)> Variables { get; init; } = [];

    public required IReadOnlyList<(int Code, string Meaning)> Exits { get; init; }
}
