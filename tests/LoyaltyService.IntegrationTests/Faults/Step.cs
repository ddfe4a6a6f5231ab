using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>The rows of a test that is run at each of some failpoints.</summary>
internal static class Step
{
    public static TheoryData<Backend, string> OnBothBackEnds(params string[] failpoints)
    {
        var rows = new TheoryData<Backend, string>();
        foreach (var failpoint in failpoints)
        {
            rows.Add(Backend.Postgres, failpoint);
            rows.Add(Backend.Sqlite, failpoint);
        }

        return rows;
    }
}
