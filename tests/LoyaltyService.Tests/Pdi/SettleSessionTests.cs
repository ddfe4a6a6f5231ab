using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;
using LoyaltyService.Tests.Sessions;

namespace LoyaltyService.Tests.Pdi;

/// <summary>
/// Two workers settle one session, for example when a finalize makes the row due again during the identify. Only one of them stores and
/// logs the result.
/// </summary>
public sealed class SettleSessionTests : IDisposable
{
    private const string Open = """{"pdiSessionId":"pdi-1","status":"open"}""";
    private const string Receipt = """{"pdiSessionId":"pdi-1","receiptId":"R-1","earnedPoints":450,"redeemedPoints":100,"newBalance":1550}""";
    private const string Refusal = """{"code":"CUSTOMER_BLOCKED","message":"The customer is blocked."}""";

    private readonly TaskCompletionSource bothAreThere = new();
    private readonly FakePdi pdi = new();

    [Theory]
    [InlineData(HttpStatusCode.OK, "WaitingSaleFinalized", "finalized")]
    [InlineData(HttpStatusCode.UnprocessableEntity, "WaitingSaleRejected", "pending_finalization")]
    public async Task Two_concurrent_finalizes_log_the_result_once(HttpStatusCode status, string told, string becomes)
    {
        var session = new OneSession(GivenSession.Finalizing());
        pdi.OnCall = (number, _) => BothAsync(number, number <= 2
            ? FakePdi.Json(Open)
            : FakePdi.Json(status is HttpStatusCode.OK ? Receipt : Refusal, status));

        await SettleTwiceAsync(session);

        Assert.Equal(4, pdi.BusinessCalls.Count);
        Assert.Equal((becomes, 5), (session.Now.Status.ToText(), session.Now.Version));
        Assert.Single(pdi.Log.All, line => line.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_concurrent_identifies_log_the_refusal_once()
    {
        var session = new OneSession(GivenSession.Pending());
        pdi.OnCall = (number, _) => BothAsync(number, FakePdi.Json(Refusal, HttpStatusCode.UnprocessableEntity));

        await SettleTwiceAsync(session);

        Assert.Equal(2, pdi.BusinessCalls.Count);
        Assert.Equal((SessionStatus.Failed, 2), (session.Now.Status, session.Now.Version));
        Assert.Single(pdi.Log.All, line => line.Contains("WaitingCustomerRejected", StringComparison.Ordinal));
    }

    public void Dispose() => pdi.Dispose();

    /// <summary>Holds the first answer until the second call arrives. By then both workers have read the session.</summary>
    private async Task<HttpResponseMessage> BothAsync(int number, HttpResponseMessage answer)
    {
        if (number == 2)
            bothAreThere.SetResult();
        await bothAreThere.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return answer;
    }

    private Task SettleTwiceAsync(OneSession session)
    {
        var client = pdi.CreateClient();
        var settle = new SettleSession(session, [
            new OwedIdentify(session, client, pdi.Options, pdi.Log.For<OwedIdentify>()),
            new OwedFinalize(session, client, pdi.Options, new SessionMetrics(new Meter("test")), pdi.Log.For<OwedFinalize>()),
        ]);
        return Task.WhenAll(RunAsync(), RunAsync());

        async Task RunAsync()
        {
            using var step = new Activity("pdi-work") { IsAllDataRequested = false };
            try
            {
                await settle.RunAsync(session.Now.Id, step);
            }
            catch (PdiUnavailableException late) when (late.Message.Contains("changed meanwhile", StringComparison.Ordinal))
            {
                // The second worker puts its item back and finds the row gone.
            }
        }
    }

    /// <summary>Stores one session. The version check accepts one of two concurrent changes.</summary>
    private sealed class OneSession(Session first) : ISessionStore
    {
        private readonly Lock gate = new();

        public Session Now { get; private set; } = first;

        public Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken) => Task.FromResult<Session?>(Now);

        public Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken)
        {
            lock (gate)
            {
                if (change.Before.Version != Now.Version)
                    return Task.FromResult<Session?>(null);
                Now = change.After;
                return Task.FromResult<Session?>(Now);
            }
        }

        public Task<(Session Session, bool Created)> CreateAsync(Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ReleaseAsync(Session session, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<SessionEventRow>> EventsAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
