using System.Buffers;
using System.Text;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// What every service under test logs, in this process and in others, at level debug in this one. Each line is searched as it comes for
/// what must stand in no log: nothing is kept but the lines that have it.
/// </summary>
internal static class RunLog
{
    // Shorter words may stand for something else.
    private const int MinSecretLength = 10;

    private static readonly Lock Gate = new();

    private static readonly HashSet<string> Words =
    [
        // Of the simulator's customers and those of LeakTests.
        "John Doe", "Test Customer ", "Quillfeather", "77 31 99", "20773199", "gluten",
        // Credentials: PDI's, tokens of any kind, passwords in URLs.
        "simulator-secret", "wrong-client-secret-0815", "wrong-secret-0815", "Bearer ", "eyJ", "p%40ss%2Fword", "p@ss/word", ":hush@", "redis-pass-4711",
    ];

    private static readonly List<string> Found = [];
    private static SearchValues<string> forbidden = Build();
    private static long count;

    /// <summary>How many lines came so far.</summary>
    public static long Count => Interlocked.Read(ref count);

    /// <summary>Takes the place of standard output; what is an error is shown there all the same, for whoever reads why a test failed.</summary>
    public static Stream Output { get; } = new SearchedStream();

    /// <summary>A secret that a test uses: no log may have it, from now on.</summary>
    public static void Forbid(string secret)
    {
        if (secret.Length < MinSecretLength)
            return;
        lock (Gate)
        {
            if (Words.Add(secret))
                Volatile.Write(ref forbidden, Build());
        }
    }

    /// <summary>Searches what was logged.</summary>
    public static void Add(string text)
    {
        Interlocked.Add(ref count, text.AsSpan().Count('\n') + (text.EndsWith('\n') ? 0 : 1));
        if (!HasLeak(text))
            return;
        lock (Gate)
            Found.AddRange(text.Split('\n').Where(HasLeak));
    }

    /// <summary>The lines so far that a log must not have.</summary>
    public static IReadOnlyList<string> Leaks
    {
        get
        {
            lock (Gate)
                return [.. Found];
        }
    }

    /// <summary>Whether a text has what no log may have.</summary>
    public static bool HasLeak(string text) => text.AsSpan().ContainsAny(Volatile.Read(ref forbidden));

    private static SearchValues<string> Build() => SearchValues.Create([.. Words], StringComparison.Ordinal);

    private sealed class SearchedStream : MemoryStream
    {
        private readonly Stream console = Console.OpenStandardOutput();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Add(Encoding.UTF8.GetString(buffer));
            foreach (var line in buffer.Split((byte)'\n'))
            {
                if (buffer[line].IndexOf("\"level\":\"ERROR\""u8) >= 0 || buffer[line].IndexOf("\"level\":\"FATAL\""u8) >= 0)
                    console.Write([.. buffer[line], (byte)'\n']);
            }
        }
    }
}
