using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Sessions;

public sealed class SessionTests
{
    private static readonly PdiRejection Rejection = new("UNKNOWN_CUSTOMER", "No such customer.");
    private static readonly PdiReceipt Receipt = new("pdi-1", "R-1", EarnedPoints: 460, RedeemedPoints: 100, NewBalance: 1560);

    // Every change of a session and its effect on the PDI queue.
    private static readonly (SessionEvent Event, Func<Session, SessionChange> Change, PdiWorkChange Work)[] Changes =
    [
        (SessionEvent.Identified, session => session.Identified(GivenSession.Identity, Causes.Request), PdiWorkChange.None),
        (SessionEvent.IdentifyRejected, session => session.IdentifyRejected(Rejection, Causes.Request), PdiWorkChange.Settled),
        (SessionEvent.Calculated, session => session.Calculated(450, "pdi", 150m, Causes.Request), PdiWorkChange.None),
        (SessionEvent.FinalizeRequested, session => session.FinalizeRequested(GivenSession.Intent, Causes.Request), PdiWorkChange.Owed),
        (SessionEvent.Finalized, session => session.Finalized(Receipt, Causes.Request), PdiWorkChange.Settled),
        (SessionEvent.FinalizeRefused, session => session.FinalizeRefused(Rejection, Causes.Request), PdiWorkChange.Settled),
        (SessionEvent.FinalizeWithdrawn, session => session.FinalizeWithdrawn(Causes.Request), PdiWorkChange.Withdrawn),
        (SessionEvent.PdiSessionLost, session => session.PdiSessionLost(Rejection, Causes.Request), PdiWorkChange.Settled),
        (SessionEvent.OperatorResolved, session => session.OperatorResolved("Given by hand.", "ops", Causes.Request), PdiWorkChange.Abandoned),
    ];

    private static readonly Session[] Sessions =
    [
        GivenSession.Pending(), GivenSession.Active(), GivenSession.PendingFinalization(),
        GivenSession.Finalizing(), GivenSession.Finalized(), GivenSession.Failed(),
    ];

    // The changes that remove the queue row.
    private static readonly PdiWorkChange[] Enders = [PdiWorkChange.Settled, PdiWorkChange.Withdrawn, PdiWorkChange.Abandoned];

    [Fact]
    public void A_new_session_is_pending_at_version_1_and_not_identified()
    {
        var session = GivenSession.Pending();

        Assert.Equal(SessionStatus.Pending, session.Status);
        Assert.Equal(1, session.Version);
        Assert.False(session.IsIdentified);
    }

    [Fact]
    public void An_allowed_change_increments_the_version_and_follows_the_table()
    {
        var allowed = Changes.SelectMany(_ => Sessions, (change, session) => (change, session))
            .Where(pair => SessionTransitions.Allows(pair.session.Status, pair.change.Event)).ToArray();

        Assert.NotEmpty(allowed);
        Assert.All(allowed, pair =>
        {
            var before = pair.session with { IsBusy = true };

            var change = pair.change.Change(before);

            Assert.Same(before, change.Before);
            Assert.Equal(pair.change.Event, change.Event);
            Assert.Equal(Causes.Request, change.Cause);
            Assert.Equal(before.Version + 1, change.After.Version);
            Assert.Equal(SessionTransitions.Next(before.Status, pair.change.Event), change.After.Status);
            Assert.False(change.After.IsBusy);
            Assert.Equal(pair.change.Work, change.Work);
        });
    }

    [Fact]
    public void Every_forbidden_change_throws()
    {
        var forbidden = Changes.SelectMany(_ => Sessions, (change, session) => (change, session))
            .Where(pair => !SessionTransitions.Allows(pair.session.Status, pair.change.Event)).ToArray();

        Assert.NotEmpty(forbidden);
        Assert.All(forbidden, pair => Assert.Throws<InvalidOperationException>(() => pair.change.Change(pair.session)));
    }

    [Fact]
    public void A_change_leaves_unrelated_members_alone()
    {
        var allowed = Changes.SelectMany(_ => Sessions, (change, session) => (change, session))
            .Where(pair => SessionTransitions.Allows(pair.session.Status, pair.change.Event));

        Assert.All(allowed, pair =>
        {
            var after = pair.change.Change(pair.session).After;

            Assert.Equal(
                (pair.session.Id, pair.session.SaleKey, pair.session.Client, pair.session.ChannelId, pair.session.TransactionId),
                (after.Id, after.SaleKey, after.Client, after.ChannelId, after.TransactionId));
            Assert.Equal(
                (pair.session.CustomerId, pair.session.IdentifyFingerprint, pair.session.CreatedAt, pair.session.ExpiresAt),
                (after.CustomerId, after.IdentifyFingerprint, after.CreatedAt, after.ExpiresAt));
        });
    }

    [Fact]
    public void A_change_that_ends_a_session_removes_its_queue_row()
    {
        var endings = Changes.SelectMany(_ => Sessions, (change, session) => (change, session))
            .Where(pair => SessionTransitions.Next(pair.session.Status, pair.change.Event) is SessionStatus.Finalized or SessionStatus.Failed);

        Assert.All(endings, pair => Assert.Contains(pair.change.Change(pair.session).Work, Enders));
    }

    [Fact]
    public void Identification_stores_the_customer_and_the_first_answers_version()
    {
        var after = GivenSession.Pending().Identified(GivenSession.Identity, Causes.Worker).After;

        Assert.True(after.IsIdentified);
        Assert.Equal(("pdi-1", "John Doe", 1200, "Gold"), (after.PdiSessionId, after.CustomerName, after.CurrentPoints, after.Tier));
        Assert.Equal(2, after.IdentifiedVersion);
        Assert.Equal(2, after.Version);
    }

    [Fact]
    public void An_identification_during_finalize_keeps_the_intent()
    {
        var finalizing = GivenSession.Pending().FinalizeRequested(GivenSession.Intent, Causes.Request).After;

        var after = finalizing.Identified(GivenSession.Identity, Causes.Worker).After;

        Assert.Equal(SessionStatus.Finalizing, after.Status);
        Assert.Equal(GivenSession.Intent, after.Intent);
        Assert.Equal(3, after.IdentifiedVersion);
    }

    [Fact]
    public void A_refused_customer_fails_the_session_with_PDIs_message()
    {
        var after = GivenSession.Pending().IdentifyRejected(Rejection, Causes.Request).After;

        Assert.Equal(new SessionFailure("pdi_rejected", "UNKNOWN_CUSTOMER", "No such customer."), after.Failure);
        Assert.False(after.IsIdentified);
        Assert.Null(after.IdentifiedVersion);
    }

    [Fact]
    public void A_calculation_stores_points_source_and_amount()
    {
        var change = GivenSession.Active().Calculated(450, "estimate", 150.00m, Causes.Request);

        Assert.Equal((450, "estimate"), (change.After.EarnedPoints, change.After.RewardSource));
        Assert.Equal(150.00m, change.Amount);
    }

    [Fact]
    public void The_last_calculation_wins()
    {
        var change = GivenSession.PendingFinalization().Calculated(0, "estimate", 0m, Causes.Request);

        Assert.Equal((0, "estimate"), (change.After.EarnedPoints, change.After.RewardSource));
        Assert.Equal(SessionStatus.PendingFinalization, change.After.Status);
    }

    [Fact]
    public void A_requested_finalize_stores_its_intent_and_amount()
    {
        var change = GivenSession.PendingFinalization().FinalizeRequested(GivenSession.Intent, Causes.Request);

        Assert.Equal(GivenSession.Intent, change.After.Intent);
        Assert.Equal(GivenSession.Intent.FinalAmount, change.Amount);
    }

    [Fact]
    public void A_finalized_session_has_PDIs_figures_not_the_calculated_ones()
    {
        var after = (GivenSession.Finalizing() with { RewardSource = "estimate" }).Finalized(Receipt, Causes.Worker).After;

        Assert.Equal((460, 100, 1560L, "R-1"), (after.EarnedPoints, after.RedeemedPoints, after.NewBalance, after.ReceiptId));
        Assert.Equal("pdi", after.RewardSource);
        // Every later retry is compared with the intent.
        Assert.Equal(GivenSession.Intent, after.Intent);
    }

    [Fact]
    public void A_refused_finalize_drops_its_intent_and_allows_a_corrected_one()
    {
        var change = GivenSession.Finalizing().FinalizeRefused(new PdiRejection("INSUFFICIENT_POINTS", "Too few."), Causes.Request);

        Assert.Null(change.After.Intent);
        Assert.Null(change.After.Failure);
        Assert.Equal("INSUFFICIENT_POINTS: Too few.", change.Detail);
        Assert.True(SessionTransitions.Allows(change.After.Status, SessionEvent.FinalizeRequested));
    }

    [Fact]
    public void A_withdrawn_finalize_leaves_no_intent_to_send()
    {
        var change = GivenSession.Finalizing().FinalizeWithdrawn(Causes.Request);

        Assert.Null(change.After.Intent);
        Assert.Equal((SessionStatus.PendingFinalization, 450L), (change.After.Status, change.After.EarnedPoints));
        Assert.True(SessionTransitions.Allows(change.After.Status, SessionEvent.FinalizeRequested));
    }

    [Fact]
    public void A_session_lost_at_PDI_fails_with_PDIs_message()
    {
        var after = GivenSession.Finalizing().PdiSessionLost(new PdiRejection("SESSION_NOT_FOUND", "Gone."), Causes.Request).After;

        Assert.Equal(new SessionFailure("pdi_rejected", "SESSION_NOT_FOUND", "Gone."), after.Failure);
    }

    [Fact]
    public void A_resolved_session_keeps_its_intent_and_the_operators_note_and_name()
    {
        var change = GivenSession.Finalizing().OperatorResolved("Given by hand.", "ops", Causes.Operator);

        Assert.Equal(new SessionFailure("resolved", null, "Given by hand."), change.After.Failure);
        Assert.Equal(GivenSession.Intent, change.After.Intent);
        Assert.Equal(("ops", "operator"), (change.Detail, change.Cause));
    }
}
