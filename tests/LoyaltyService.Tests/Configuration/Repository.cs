namespace LoyaltyService.Tests.Configuration;

/// <summary>Reads the repository's files, to compare them with the code.</summary>
internal static class Repository
{
    public static string ReadAllText(string path) => File.ReadAllText(Path.Combine(Root(), path));

    public static string[] ReadAllLines(string path) => File.ReadAllLines(Path.Combine(Root(), path));

    public static void WriteAllText(string path, string text) => File.WriteAllText(Path.Combine(Root(), path), text);

    public static string PathOf(string path) => Path.Combine(Root(), path);

    public static string Root()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "LoyaltyService.slnx")))
                return directory.FullName;
        }

        throw new InvalidOperationException($"No LoyaltyService.slnx above {AppContext.BaseDirectory}.");
    }
}
