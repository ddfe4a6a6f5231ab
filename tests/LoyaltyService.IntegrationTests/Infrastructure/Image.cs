using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// What a Dockerfile makes, without a Docker engine: the COPY and RUN lines of its first stage are carried out as they stand, in a new folder
/// that has only what they copy and nothing of the repository above it; what the second stage takes from there lies in a read-only tree of its
/// own. Made once for all tests, and kept under artifacts/image until a line or a file of it changes.
/// </summary>
internal sealed class Image
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private static readonly Lazy<Task<Image>> Service = new(() => BuildAsync("Dockerfile", "service"));
    private static readonly Lazy<Task<Image>> Simulator = new(() => BuildAsync("src/PdiSimulator/Dockerfile", "simulator"));

    private readonly Dockerfile.Stage stage;
    private readonly string home;

    private Image(Dockerfile.Stage stage, string folder)
    {
        this.stage = stage;
        Folder = folder;
        home = stage.The("WORKDIR");
    }

    /// <summary>The folder that is WORKDIR in the image.</summary>
    public string Folder { get; }

    public IReadOnlyList<FileInfo> Files => [.. new DirectoryInfo(Folder).EnumerateFiles("*", SearchOption.AllDirectories)];

    public static Task<Image> GetAsync() => Service.Value;

    /// <summary>The simulator's, which compose.yaml builds.</summary>
    public static Task<Image> GetSimulatorAsync() => Simulator.Value;

    /// <summary>
    /// A process as a container would be: the image's variables and those given and no others, an empty folder that cannot be written to, and
    /// the image's user, if the tests may change it.
    /// </summary>
    /// <param name="instruction">ENTRYPOINT, or HEALTHCHECK.</param>
    /// <param name="variables">As <c>docker run --env</c>.</param>
    /// <param name="arguments">What follows the instruction's own words.</param>
    public ProcessStartInfo Start(string instruction, IReadOnlyDictionary<string, string?> variables, params string[] arguments)
    {
        var empty = Path.Combine(Path.GetDirectoryName(Folder)!, "empty");
        string[] words = [.. stage.Arguments(instruction).Select(word => word.Replace(home + "/", Folder + "/", StringComparison.Ordinal)), .. arguments];
        string[] asUser = System.Environment.IsPrivilegedProcess && stage.The("USER").Split(':') is [var user, var group]
            ? ["setpriv", $"--reuid={user}", $"--regid={group}", "--clear-groups", "--no-new-privs", "--bounding-set=-all", .. words]
            : words;
        var start = new ProcessStartInfo(asUser[0], asUser[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = empty };
        start.Environment.Clear();
        // As .NET's images have them; .NET itself is where this process has it.
        var inherited = new Dictionary<string, string?>
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../..")),
            ["ASPNETCORE_HTTP_PORTS"] = "8080",
            ["DOTNET_RUNNING_IN_CONTAINER"] = "true",
            ["HOME"] = empty,
            ["TMPDIR"] = empty,
        };
        foreach (var (name, value) in inherited.Concat(stage.Environment).Concat(variables))
            start.Environment[name] = value;
        return start;
    }

    private static async Task<Image> BuildAsync(string path, string name)
    {
        var dockerfile = Dockerfile.Parse(Repository.ReadAllText(path));
        Assert.Equal(2, dockerfile.Stages.Count);
        var (build, final) = (dockerfile.Stages[0], dockerfile.Stages[1]);
        var taken = final.The("COPY").Split(' ');
        Assert.Equal($"--from={build.Name}", taken[0]);

        var kept = new DirectoryInfo(Repository.PathOf($"artifacts/image/{name}"));
        var published = Path.Combine(kept.FullName, "published");
        var stamp = Path.Combine(kept.FullName, "stamp");
        var files = build.Instructions.Where(instruction => instruction.Word == "COPY").SelectMany(copy => FilesOf(copy.Text)).ToList();
        var made = await HashAsync(dockerfile, files);
        if (!File.Exists(stamp) || await File.ReadAllTextAsync(stamp) != made)
        {
            if (kept.Exists)
                kept.Delete(recursive: true);
            kept.Create();
            await MakeAsync(build, taken[1], published);
            await File.WriteAllTextAsync(stamp, made);
        }

        return new Image(final, await LayOutAsync(published));
    }

    /// <summary>Not below the repository: the compiler looks for its files in every folder above, and would find those that no line copies.</summary>
    private static async Task MakeAsync(Dockerfile.Stage build, string result, string published)
    {
        var root = Directory.CreateTempSubdirectory("image-build-");
        // As docker build --build-arg does: for a stage that says ARG.
        var arguments = new Dictionary<string, string?> { ["COMMIT"] = build.Has("ARG", "COMMIT=unknown") ? Commit : null };
        try
        {
            var source = root.FullName + build.The("WORKDIR");
            foreach (var (word, rest) in build.Instructions)
            {
                if (word == "COPY")
                    Copy(rest, source);
                else if (word == "RUN")
                    await Build.RunAsync(rest, source, arguments);
            }

            (await Ran.ToItsEndAsync("cp", ["-r", root.FullName + result, published])).Succeeded();
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    /// <summary>The files that a COPY names, below the repository's root, as git would give them to somebody else.</summary>
    private static IEnumerable<string> FilesOf(string copy) => copy.Split(' ')[..^1].SelectMany(path =>
        Directory.Exists(Repository.PathOf(path))
            ? Directory.EnumerateFiles(Repository.PathOf(path), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Repository.PathOf(""), file))
            : [path]).Order(StringComparer.Ordinal);

    private static void Copy(string copy, string source)
    {
        var words = copy.Split(' ');
        foreach (var file in FilesOf(copy))
        {
            // A folder's content goes into the target, a file below it under its own name.
            var target = Path.Combine(source, words[^1], Directory.Exists(Repository.PathOf(words[0])) ? Path.GetRelativePath(words[0], file) : Path.GetFileName(file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Repository.PathOf(file), target, overwrite: true);
        }
    }

    /// <summary>A copy that nobody may write to, where any user can reach it; gone with the process that runs the tests.</summary>
    private static async Task<string> LayOutAsync(string published)
    {
        var folder = Directory.CreateTempSubdirectory("image-test-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Process.Start("sh", ["-c", $"chmod -R u+w '{folder}' && rm -rf '{folder}'"]).WaitForExit();
        (await Ran.ToItsEndAsync("sh", ["-c", $"mkdir '{folder}/empty' && cp -r '{published}' '{folder}/app' && chmod -R a-w,a+rX '{folder}'"])).Succeeded();
        return Path.Combine(folder, "app");
    }

    private static async Task<string> HashAsync(Dockerfile dockerfile, IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (word, rest) in dockerfile.Stages.SelectMany(stage => stage.Instructions))
            hash.AppendData(Encoding.UTF8.GetBytes($"{word} {rest}\n"));
        foreach (var file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(file + "\n"));
            hash.AppendData(await File.ReadAllBytesAsync(Repository.PathOf(file)));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
