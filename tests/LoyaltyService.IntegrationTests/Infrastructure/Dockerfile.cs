using System.Text.Json;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A Dockerfile as its instructions, stage by stage. Knows what this repository's files use, and refuses the rest.</summary>
internal sealed class Dockerfile
{
    private Dockerfile(IReadOnlyList<Stage> stages) => Stages = stages;

    public IReadOnlyList<Stage> Stages { get; }

    public static Dockerfile Parse(string text)
    {
        var stages = new List<Stage>();
        foreach (var line in text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var (word, rest) = (line[..space], line[space..].Trim());
            if (word == "FROM")
                stages.Add(new Stage(rest.Split(' ')[0], rest.Split(" AS ") is [_, var name] ? name : null, []));
            else
                stages[^1].Instructions.Add((word, rest));
        }

        return new Dockerfile(stages);
    }

    internal sealed record Stage(string Image, string? Name, List<(string Word, string Text)> Instructions)
    {
        /// <summary>The tag of the image that the stage begins with.</summary>
        public string Tag => Image.Split(':')[1];

        public string The(string word) => Instructions.Single(instruction => instruction.Word == word).Text;

        public bool Has(string word, string text) => Instructions.Contains((word, text));

        /// <summary>The variables of ENV.</summary>
        public Dictionary<string, string?> Environment => Instructions.Where(instruction => instruction.Word == "ENV")
            .SelectMany(instruction => instruction.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => pair[0], string? (pair) => pair[1]);

        /// <summary>The words of ENTRYPOINT, or of the CMD within HEALTHCHECK: a JSON array, because there is no shell.</summary>
        public string[] Arguments(string instruction) => JsonSerializer.Deserialize<string[]>(The(instruction)[The(instruction).IndexOf('[', StringComparison.Ordinal)..])!;
    }
}
