using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace LoyaltyService.Commands;

/// <summary>The library's help, followed by what a <see cref="DocumentedCommand"/> adds.</summary>
internal sealed class DetailedHelp : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Writes the problem and the help of the command to standard error.</summary>
    public static int Refuse(ParseResult parsed, string problem)
    {
        var invocation = parsed.InvocationConfiguration;
        invocation.Error.WriteLine($"{problem}{Environment.NewLine}");
        invocation.Output = invocation.Error;
        new DetailedHelp().Invoke(parsed);
        return ExitCodes.Usage;
    }

    public override int Invoke(ParseResult parseResult)
    {
        new HelpAction().Invoke(parseResult);
        if (parseResult.CommandResult.Command is DocumentedCommand command)
        {
            var output = parseResult.InvocationConfiguration.Output;
            Write(output, "Environment variables:", command.Variables);
            Write(output, "Exit codes:", [.. command.Exits.Select(static exit => ($"{exit.Code}", exit.Meaning))]);
        }

        return 0;
    }

    private static void Write(TextWriter output, string heading, IReadOnlyList<(string Name, string Meaning)> rows)
    {
        if (rows.Count == 0)
            return;
        output.WriteLine(heading);
        var width = rows.Max(static row => row.Name.Length);
        foreach (var (name, meaning) in rows)
            output.WriteLine($"  {name.PadRight(width)}  {meaning}");
        output.WriteLine();
    }
}
