namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>Files of the repository that are held against the running service.</summary>
internal static class Repository
{
    public static string PathOf(string path) => Path.Combine(Root(), path);

    public static string ReadAllText(string path) => File.ReadAllText(PathOf(path));

    private static string Root()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "LoyaltyService.slnx")))
                return directory.FullName;
        }

        throw new InvalidOperationException($"No LoyaltyService.slnx above {AppContext.BaseDirectory}.");
    }
}
