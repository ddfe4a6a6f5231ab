using LoyaltyService.Configuration;
using LoyaltyService.Security;
using LoyaltyService.Tests.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Security;

public sealed class ApiKeyReloadTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("keys-").FullName;
    private readonly FakeTimeProvider clock = new();
    private readonly Lines log = new();
    private readonly ApiKeyRing ring;
    private readonly ApiKeyReload reload;

    public ApiKeyReloadTests()
    {
        Write($"till:loyalty:{Given.HashA}\n");
        var settings = SettingsReader.Read(Given.Production(("API_KEYS", null), ("API_KEYS_FILE", File)), ConfigurationModule.ReadFile);
        ring = new ApiKeyRing(settings.ApiKeys);
        reload = new ApiKeyReload(settings, ring, clock, log);
    }

    private string File => Path.Combine(folder, "api-keys");

    public void Dispose()
    {
        reload.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Added_keys_take_effect_and_removed_keys_do_not()
    {
        Write($"till:loyalty:{Given.HashA},kiosk:ops:{Given.HashB}\n");
        reload.Look();
        Assert.Equal(["till (Loyalty)", "kiosk (Ops)"], ring.Keys.Select(key => key.ToString()));

        Write($"kiosk:ops:{Given.HashB}");
        reload.Look();
        Assert.Equal(["kiosk (Ops)"], ring.Keys.Select(key => key.ToString()));
        Assert.Equal(2, log.Count(LogLevel.Warning));
    }

    [Fact]
    public void An_unchanged_file_is_not_logged()
    {
        reload.Look();
        reload.Look();

        Assert.Empty(log.All);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("hush")]
    [InlineData("till:loyalty:hush")]
    [InlineData(null)]
    public void An_invalid_file_keeps_the_keys_and_logs_one_error(string? text)
    {
        if (text is null)
            System.IO.File.Delete(File);
        else
            Write(text);

        reload.Look();
        reload.Look();

        Assert.Equal(["till (Loyalty)"], ring.Keys.Select(key => key.ToString()));
        Assert.Equal(1, log.Count(LogLevel.Error));
        Assert.DoesNotContain("hush", string.Join('\n', log.All.Select(line => line.Text)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_repeated_mistake_is_logged_again_after_a_good_file()
    {
        Write("broken");
        reload.Look();
        Write($"kiosk:ops:{Given.HashB}");
        reload.Look();
        Write("broken");
        reload.Look();

        Assert.Equal(["kiosk (Ops)"], ring.Keys.Select(key => key.ToString()));
        Assert.Equal(2, log.Count(LogLevel.Error));
    }

    [Fact]
    public async Task The_file_is_reloaded_periodically()
    {
        await reload.StartAsync(TestContext.Current.CancellationToken);
        Write($"kiosk:ops:{Given.HashB}");

        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (ring.Keys[0].Client != "kiosk")
        {
            clock.Advance(ApiKeyReload.Interval);
            await look.WaitForNextTickAsync(deadline.Token);
        }

        await reload.StopAsync(TestContext.Current.CancellationToken);
    }

    private void Write(string text) => System.IO.File.WriteAllText(File, text);

    private sealed class Lines : ILogger<ApiKeyReload>
    {
        public List<(LogLevel Level, string Text)> All { get; } = [];

        public int Count(LogLevel level) => All.Count(line => line.Level == level);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add((logLevel, formatter(state, exception)));
    }
}
