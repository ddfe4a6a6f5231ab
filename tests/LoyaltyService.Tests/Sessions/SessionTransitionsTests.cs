using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Sessions;

public sealed class SessionTransitionsTests
{
    // The statuses in the order of the contract's table. "-" means forbidden.
    private static readonly string[] Statuses = ["pending", "active", "pending_finalization", "finalizing", "finalized", "failed"];

    private static readonly string[] Events =
        ["identified", "identify_rejected", "calculated", "finalize_requested", "finalized", "finalize_refused", "finalize_withdrawn", "refused_after_expiry", "pdi_session_lost", "expired", "operator_resolved"];

    private static readonly (string Status, string[] Next)[] Table =
    [
        // identified, identify_rejected, calculated, finalize_requested, finalized, finalize_refused, finalize_withdrawn, refused_after_expiry, pdi_session_lost, expired, operator_resolved
        ("pending", ["active", "failed", "pending", "finalizing", "-", "-", "-", "-", "-", "failed", "failed"]),
        ("active", ["-", "-", "pending_finalization", "finalizing", "-", "-", "-", "-", "-", "failed", "-"]),
        ("pending_finalization", ["-", "-", "pending_finalization", "finalizing", "-", "-", "-", "-", "-", "failed", "-"]),
        ("finalizing", ["finalizing", "failed", "-", "-", "finalized", "pending_finalization", "pending_finalization", "failed", "failed", "-", "failed"]),
        ("finalized", ["-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"]),
        ("failed", ["-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ];

    public static TheoryData<string, string, string> Allowed => [.. Pairs.Where(pair => pair.Next != "-")];

    public static TheoryData<string, string> Forbidden =>
        [.. Pairs.Where(pair => pair.Next == "-").Select(pair => (pair.Status, pair.Event))];

    private static IEnumerable<(string Status, string Event, string Next)> Pairs =>
        Table.SelectMany(row => Events.Zip(row.Next, (sessionEvent, next) => (row.Status, sessionEvent, next)));

    [Theory]
    [MemberData(nameof(Allowed))]
    public void An_allowed_event_leads_to_the_status_in_the_table(string status, string sessionEvent, string next)
    {
        Assert.Equal(Status(next), SessionTransitions.Next(Status(status), Event(sessionEvent)));
        Assert.Equal(Status(next), SessionTransitions.Apply(Status(status), Event(sessionEvent)));
        Assert.True(SessionTransitions.Allows(Status(status), Event(sessionEvent)));
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void A_forbidden_event_fails_and_names_status_and_event(string status, string sessionEvent)
    {
        Assert.Null(SessionTransitions.Next(Status(status), Event(sessionEvent)));
        Assert.False(SessionTransitions.Allows(Status(status), Event(sessionEvent)));

        var refusal = Assert.Throws<InvalidOperationException>(() => SessionTransitions.Apply(Status(status), Event(sessionEvent)));

        Assert.Equal($"A session that is {status} cannot be {sessionEvent}.", refusal.Message);
    }

    [Fact]
    public void The_table_has_every_status_and_every_event()
    {
        Assert.Equal(Enum.GetValues<SessionStatus>(), Table.Select(row => Status(row.Status)));
        Assert.Equal(Enum.GetValues<SessionEvent>(), Events.Select(Event));
        Assert.All(Table, row => Assert.Equal(Events.Length, row.Next.Length));
    }

    [Theory]
    [InlineData("finalized")]
    [InlineData("failed")]
    public void A_terminal_status_allows_no_event(string status) =>
        Assert.All(Enum.GetValues<SessionEvent>(), sessionEvent => Assert.Null(SessionTransitions.Next(Status(status), sessionEvent)));

    [Fact]
    public void Only_finalizing_and_terminal_statuses_never_expire()
    {
        var lasting = Enum.GetValues<SessionStatus>().Where(status => !SessionTransitions.Allows(status, SessionEvent.Expired));

        Assert.Equal([SessionStatus.Finalizing, SessionStatus.Finalized, SessionStatus.Failed], lasting);
    }

    [Fact]
    public void Finalizing_requires_a_stored_intent()
    {
        var before = Enum.GetValues<SessionStatus>().Where(status => SessionTransitions.Allows(status, SessionEvent.Finalized));

        Assert.Equal(SessionStatus.Finalizing, Assert.Single(before));
    }

    [Fact]
    public void Every_status_is_reachable_from_the_first()
    {
        var reached = new HashSet<SessionStatus> { SessionStatus.Pending };
        for (var count = 0; count != reached.Count;)
        {
            count = reached.Count;
            foreach (var status in reached.ToArray())
                reached.UnionWith(Enum.GetValues<SessionEvent>().Select(sessionEvent => SessionTransitions.Next(status, sessionEvent)).OfType<SessionStatus>());
        }

        Assert.Equal(Enum.GetValues<SessionStatus>(), reached.Order());
    }

    [Fact]
    public void Statuses_have_the_contracts_names() =>
        Assert.Equal(Statuses, Enum.GetValues<SessionStatus>().Select(status => status.ToText()));

    [Fact]
    public void Events_have_their_documented_names()
    {
        Assert.Equal(Events, Enum.GetValues<SessionEvent>().Select(sessionEvent => sessionEvent.ToText()));
        Assert.DoesNotContain(SessionEventText.Created, Events);
    }

    [Fact]
    public void A_status_round_trips_through_its_text() =>
        Assert.All(Enum.GetValues<SessionStatus>(), status => Assert.Equal(status, SessionStatusText.Parse(status.ToText())));

    [Theory]
    [InlineData("")]
    [InlineData("Pending")]
    [InlineData("pending ")]
    [InlineData("pendingFinalization")]
    [InlineData("0")]
    public void Unknown_text_is_not_a_status(string text) =>
        Assert.Contains($"\"{text}\"", Assert.Throws<InvalidDataException>(() => SessionStatusText.Parse(text)).Message);

    // Parses the enum's name and not the text under test, so the table stays independent.
    private static SessionStatus Status(string text) => Enum.Parse<SessionStatus>(text.Replace("_", ""), ignoreCase: true);

    private static SessionEvent Event(string text) => Enum.Parse<SessionEvent>(text.Replace("_", ""), ignoreCase: true);
}
