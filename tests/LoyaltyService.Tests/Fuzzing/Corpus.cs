using System.Text;
using System.Text.Json;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Fuzzing;

/// <summary>
/// The inputs of one parser that are worth keeping: a line each, as a JSON string whose characters are the bytes. An input that broke
/// something joins them by itself; with FUZZ_GROW set, so does one whose outcome no other had. Commit what has joined.
/// </summary>
internal sealed class Corpus(string target)
{
    private readonly string path = Path.Combine(Repository.Root(), "tests", "LoyaltyService.Tests", "Fuzzing", "corpus", target + ".txt");

    public static bool Grows => Environment.GetEnvironmentVariable("FUZZ_GROW") is { Length: > 0 };

    public IReadOnlyList<byte[]> Inputs() => [.. File.ReadAllLines(path).Select(line => Encoding.Latin1.GetBytes(JsonSerializer.Deserialize<string>(line)!))];

    public void Add(byte[] input) => File.AppendAllText(path, Line(input) + "\n");

    public static string Line(byte[] input) => JsonSerializer.Serialize(Encoding.Latin1.GetString(input));
}
