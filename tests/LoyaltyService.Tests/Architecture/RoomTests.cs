using System.Reflection.PortableExecutable;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Architecture;

/// <summary>
/// A room, which is a namespace and a folder, uses only rooms above it in the table of docs/architecture.md. Read from the compiled assembly:
/// signatures, bodies, attributes and generic arguments all name their types there.
/// </summary>
public sealed class RoomTests
{
    private const string Root = "LoyaltyService";
    private const string Top = "top";

    private static readonly List<string> Rooms =
    [
        .. Repository.ReadAllLines("docs/architecture.md")
            .SkipWhile(line => line != "| Room | What is in it |")
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|')[1].Trim(' ', '`')),
    ];

    [Fact]
    public void The_table_lists_every_folder_and_nothing_else()
    {
        var folders = Directory.GetDirectories(Repository.PathOf("src/LoyaltyService")).Select(folder => Path.GetFileName(folder)!)
            .Where(folder => folder is not ("bin" or "obj" or "Properties" or "Commands"));

        Assert.Equal(Top, Rooms[^1]);
        Assert.Equal(folders.Order(), Rooms[..^1].Order());
    }

    [Fact]
    public void A_room_uses_only_rooms_above_it()
    {
        var wrong = Uses().Where(use => Rooms.IndexOf(RoomOf(use.To)) > Rooms.IndexOf(RoomOf(use.From)))
            .GroupBy(use => $"{RoomOf(use.From)} uses {RoomOf(use.To)}")
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(use => $"{NameOf(use.From)} → {NameOf(use.To)}").Distinct().Order().Take(12))}")
            .Order()
            .ToList();

        Assert.True(wrong.Count == 0, "A room uses one below it:\n" + string.Join('\n', wrong));
    }

    [Fact]
    public void The_usings_of_a_room_name_only_rooms_above_it()
    {
        var wrong = Directory.EnumerateFiles(Repository.PathOf("src/LoyaltyService"), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.PathOf("src/LoyaltyService"), path))
            .SelectMany(path => Repository.ReadAllLines(Path.Combine("src/LoyaltyService", path))
                .Where(line => line.StartsWith($"using {Root}.", StringComparison.Ordinal) || line.StartsWith($"using static {Root}.", StringComparison.Ordinal))
                .Select(line => (path, Room: line.Split('.', ';')[1])))
            .Where(use => use.path.Contains('/') && Rooms.IndexOf(use.Room) > Rooms.IndexOf(RoomOf($"{Root}.{use.path.Split('/')[0]}.File")));

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_reader_finds_types_in_bodies_signatures_and_generic_arguments()
    {
        var uses = Uses().Select(use => (From: NameOf(use.From), To: NameOf(use.To))).ToHashSet();

        Assert.Contains(("PdiHealth", "PdiMetrics"), uses);
        Assert.Contains(("IReplayCache", "Replay"), uses);
        Assert.Contains(("LoyaltyModule", "RewardRules"), uses);
        Assert.Contains(("SessionTransitions", "SessionStatus"), uses);
    }

    private static string RoomOf(string type) => type.Split('.') is [Root, var room, _, ..] && room != "Commands" ? room : Top;

    private static string NameOf(string type) => type.Split('.', '+')[^1];

    private static List<(string From, string To)> Uses()
    {
        using var file = new PEReader(File.OpenRead(typeof(Program).Assembly.Location));
        return new AssemblyUses(file, Root).All();
    }
}
