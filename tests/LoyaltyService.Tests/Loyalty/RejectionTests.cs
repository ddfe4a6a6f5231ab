using System.Diagnostics;
using System.Text.Json;
using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Loyalty;

public sealed class RejectionTests
{
    [Fact]
    public void A_problem_has_code_status_and_advice()
    {
        var problem = new Rejection(SessionErrors.InvalidState, "It is finalized.").ToProblem();

        Assert.Equal("urn:loyalty-service:error:invalid_state", problem.Type);
        Assert.Equal((409, "invalid_state"), (problem.Status, problem.Code));
        Assert.Equal("The session's status does not allow this.", problem.Title);
        Assert.Equal("It is finalized. Read `currentStatus`; ask for the session to see where it stands.", problem.Detail);
    }

    [Fact]
    public void Every_error_becomes_a_problem() => Assert.All(KnownErrors.All, error =>
    {
        var problem = new Rejection(error, "Why.").ToProblem();

        Assert.Equal((error.Status, error.Code), (problem.Status, problem.Code));
        Assert.StartsWith("Why. ", problem.Detail);
    });

    [Fact]
    public void The_detail_names_a_single_bad_field()
    {
        var rejection = Rejection.Validation("items[0].qty", "must be from 1 to 9999.");

        Assert.Equal(HttpErrors.ValidationFailed, rejection.Error);
        Assert.Equal("items[0].qty must be from 1 to 9999.", rejection.Detail);
        Assert.Equal(new FieldError("items[0].qty", "must be from 1 to 9999."), Assert.Single(rejection.ToProblem().Errors!));
    }

    [Fact]
    public void Several_bad_fields_are_counted_and_listed()
    {
        var rejection = Rejection.Validation([new("a", "is required."), new("b", "is required.")]);

        Assert.Equal("2 fields are not valid.", rejection.Detail);
        Assert.Equal(["a", "b"], rejection.ToProblem().Errors!.Select(error => error.Field));
    }

    [Fact]
    public void A_problem_has_the_trace_id()
    {
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();

        Assert.Equal(activity.TraceId.ToHexString(), new Rejection(HttpErrors.NotFound, "").ToProblem().TraceId);
        Assert.Equal("first", (new Rejection(HttpErrors.NotFound, "") with { TraceId = "first" }).ToProblem().TraceId);
    }

    [Fact]
    public void Without_a_trace_the_trace_id_is_empty()
    {
        Activity.Current = null;

        Assert.Equal("", new Rejection(HttpErrors.NotFound, "").ToProblem().TraceId);
    }

    [Fact]
    public void A_serialized_problem_omits_empty_members()
    {
        Activity.Current = null;
        var rejection = new Rejection(PdiErrors.Rejected, "PDI says: it's no.") with { PdiCode = "UNKNOWN_CUSTOMER", SessionId = "sess_1" };

        var json = JsonSerializer.Serialize(rejection.ToProblem(), HttpJson.Wire.Problem);

        Assert.Equal(
            """
            {"type":"urn:loyalty-service:error:pdi_rejected","title":"PDI rejected the operation.","status":400,
            "detail":"PDI says: it's no. Read `pdiCode` and correct the request. PDI rejects the same request again.",
            "code":"pdi_rejected","traceId":"","pdiCode":"UNKNOWN_CUSTOMER","sessionId":"sess_1"}
            """.Replace("\n", ""),
            json);
    }

    [Fact]
    public void A_problem_shows_the_sessions_status_where_relevant()
    {
        var problem = (new Rejection(SessionErrors.VersionConflict, "Moved on.") with { CurrentStatus = "active", CurrentVersion = 3 }).ToProblem();

        Assert.Equal(("active", 3), (problem.CurrentStatus, problem.CurrentVersion));
    }
}
