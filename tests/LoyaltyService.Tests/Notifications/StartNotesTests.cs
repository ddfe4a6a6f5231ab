using LoyaltyService.Notifications;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Notifications;

public sealed class StartNotesTests
{
    [Fact]
    public void A_difference_shows_both_values()
    {
        var before = StartNotes.Shown(Given.Read(Given.Development()));
        var now = StartNotes.Shown(Given.Read(Given.Development(("LOG_LEVEL", "debug"), ("PDI_API_URL", "https://pdi2.example.com/"))));

        Assert.Equal(
            "PdiApiUrl: https://pdi.example.com/ -> https://pdi2.example.com/\nLogLevel: Information -> Debug", StartNotes.Differences(before, now));
    }

    [Fact]
    public void A_setting_that_a_new_version_adds_is_reported() =>
        Assert.Equal("B: (not known) -> 2", StartNotes.Differences("A = 1", "A = 1\nB = 2"));

    [Fact]
    public void Secrets_and_per_replica_settings_are_not_compared()
    {
        var before = StartNotes.Shown(Given.Read(Given.Production()));
        var now = StartNotes.Shown(Given.Read(Given.Production(
            ("PORT", "8080"), ("PDI_CLIENT_SECRET", "another"), ("DATABASE_URL", "postgresql://loyalty:another@db.example.com/loyalty"))));

        Assert.Equal(before, now);
        Assert.DoesNotContain("hush", before);
    }
}
