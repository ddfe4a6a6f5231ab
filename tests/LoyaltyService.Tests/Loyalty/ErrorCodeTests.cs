using LoyaltyService.Tests.OpenApi;

namespace LoyaltyService.Tests.Loyalty;

[Collection(ReadingTests.Name)]
public sealed class ErrorCodeTests(RunningService service)
{
    // A literal copy of the contract's table.
    private static readonly (int Status, string[] Codes)[] Contract =
    [
        (400, ["validation_failed", "transaction_mismatch", "pdi_rejected"]),
        (401, ["unauthenticated"]),
        (403, ["forbidden"]),
        (404, ["session_not_found", "not_found"]),
        (405, ["method_not_allowed"]),
        (409, ["invalid_state", "version_conflict", "operation_in_progress"]),
        (412, ["version_conflict"]),
        (413, ["body_too_large"]),
        (415, ["unsupported_media_type"]),
        (422, ["idempotency_key_reused"]),
        (429, ["rate_limited"]),
        (500, ["internal_error"]),
        (503, ["pdi_unavailable", "pdi_auth_failed", "queue_full", "authority_unavailable", "database_unavailable", "overloaded"]),
    ];

    [Fact]
    public void Codes_and_statuses_match_the_contract() => Assert.Equal(
        Contract.SelectMany(row => row.Codes, (row, code) => (row.Status, code)).Order(),
        KnownErrors.All.Select(error => (error.Status, error.Code)).Order());

    [Fact]
    public void Every_declared_error_is_registered_once() => Assert.Equal(
        KnownErrors.All.OrderBy(error => error.Status).ThenBy(error => error.Code),
        service.Errors.OrderBy(error => error.Status).ThenBy(error => error.Code));

    [Fact]
    public void Code_and_status_identify_one_error() =>
        Assert.Equal(KnownErrors.All.Count, KnownErrors.All.DistinctBy(error => (error.Code, error.Status)).Count());

    [Fact]
    public void Every_error_states_what_happened_and_what_to_do() => Assert.All(KnownErrors.All, error =>
    {
        Assert.Matches("^[a-z]+(_[a-z]+)*$", error.Code);
        Assert.EndsWith(".", error.Title);
        Assert.EndsWith(".", error.Advice);
    });
}
