using CsCheck;
using LoyaltyService.Sessions;
using LoyaltyService.Tests.Sessions;

namespace LoyaltyService.Tests.Loyalty;

public sealed class VersionConditionTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("*", null)]
    [InlineData("\"3\"", 3)]
    [InlineData("\"0\"", 0)]
    [InlineData("\"2147483647\"", int.MaxValue)]
    public void If_Match_is_one_entity_tag_or_any(string? ifMatch, int? version)
    {
        Assert.True(VersionCondition.TryRead(ifMatch, fromBody: null, out var condition));
        Assert.Equal(new VersionCondition(null, version), condition);
    }

    [Theory]
    [InlineData("3")]
    [InlineData("\"")]
    [InlineData("\"\"")]
    [InlineData("\"3")]
    [InlineData("3\"")]
    [InlineData("'3'")]
    [InlineData("W/\"3\"")]
    [InlineData("\"3\", \"4\"")]
    [InlineData("\"3\"\"")]
    [InlineData("\"-3\"")]
    [InlineData("\"+3\"")]
    [InlineData("\" 3\"")]
    [InlineData("\"3.0\"")]
    [InlineData("\"0x3\"")]
    [InlineData("\"\u0663\"")]
    [InlineData("\"2147483648\"")]
    [InlineData("\"abc\"")]
    [InlineData("**")]
    public void Another_If_Match_is_refused(string ifMatch) => Assert.False(VersionCondition.TryRead(ifMatch, null, out _));

    [Fact]
    public void Any_If_Match_is_parsed_or_refused() => Gen.OneOf(Gen.String, Gen.String[0, 12].Select(text => $"\"{text}\"")).Sample(ifMatch =>
    {
        if (VersionCondition.TryRead(ifMatch, 7, out var condition))
            Assert.Equal(7, condition.FromBody);
    });

    [Fact]
    public void Without_a_version_any_session_matches() => Assert.Null(default(VersionCondition).Check(GivenSession.Active()));

    [Fact]
    public void The_current_version_matches() => Assert.Null(new VersionCondition(2, 2).Check(GivenSession.Active()));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_stale_version_in_the_body_is_a_conflict(int version)
    {
        var conflict = new VersionCondition(version, null).Check(GivenSession.Active());

        Assert.Equal((SessionErrors.VersionConflict, 2, "active"), (conflict?.Error, conflict?.CurrentVersion, conflict?.CurrentStatus));
        Assert.Equal("sess_0123456789abcdef0123456789abcdef", conflict?.SessionId);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_stale_version_in_the_header_is_a_failed_precondition(int version)
    {
        var conflict = new VersionCondition(null, version).Check(GivenSession.Active());

        Assert.Equal((SessionErrors.PreconditionFailed, 2, "active"), (conflict?.Error, conflict?.CurrentVersion, conflict?.CurrentStatus));
    }

    [Fact]
    public void With_two_versions_both_must_match()
    {
        Assert.Equal(SessionErrors.VersionConflict, new VersionCondition(FromBody: 1, FromHeader: 2).Check(GivenSession.Active())?.Error);
        Assert.Equal(SessionErrors.PreconditionFailed, new VersionCondition(FromBody: 2, FromHeader: 1).Check(GivenSession.Active())?.Error);
    }
}
