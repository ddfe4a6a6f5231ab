using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>Bad bodies that only a database might refuse, on PostgreSQL, which is strict about text and numbers.</summary>
public sealed class BadInputOnPostgresTests : IAsyncLifetime
{
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(Backend.Postgres);

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    [Fact]
    public async Task A_bad_body_is_refused_before_the_database_sees_it()
    {
        foreach (var route in BadInputs.Good.Keys)
        {
            foreach (var bad in BadInputs.For(route).Where(bad => bad.Name.Contains('\\') || bad.Name.Contains("metadata") || bad.Name.Contains("NUL") || bad.Name.Contains("1e") || bad.Name.Contains("UTF-8")))
                await BadInputTests.AssertRefusedAsync(app, await BadInputTests.PostAsync(app, "/loyalty/" + route, bad.Bytes, bad.ContentType), bad.Status, bad.Code);
        }

        await BadInputTests.AssertRefusedAsync(
            app, await BadInputTests.PostAsync(app, "/loyalty/finalize", Encoding.UTF8.GetBytes(BadInputs.Good["finalize"])), 404, "session_not_found");
    }
}
