using System.Text;
using System.Text.Json;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Fuzzing;

/// <summary>
/// The saved inputs of one parser, one per line, as JSON strings whose characters are the bytes. An input that breaks something is
/// added automatically. With FUZZ_GROW set, so is one with a new outcome. Commit the additions.
/// </summary>
internal sealed class Corpus(string target)
{
    private readonly string path = Path.Combine(Repository.Root(), "tests", "LoyaltyService.Tests", "Fuzzing", "corpus", target + ".txt");

    public static bool Grows => Environment.GetEnvironmentVariable("FUZZ_GROW") is { Length: > 0 };

    public IReadOnlyList<byte[]> Inputs() => [.. File.ReadAllLines(path).Select(line => Encoding.Latin1.GetBytes(JsonSerializer.Deserialize<string>(line)!))];

    public void Add(byte[] input) => File.AppendAllText(path, Line(input) + "\n");

    public static string Line(byte[] input) => JsonSerializer.Serialize(Encoding.Latin1.GetString(input));
}
