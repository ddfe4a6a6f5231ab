using Microsoft.AspNetCore.Mvc;
using PdiSimulator.Calls;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>Reads the ledger and voids sessions. The wire contract has no call for either.</summary>
internal static class LedgerEndpoints
{
    // Reading a page holds the ledger's lock, so these limits bound the delay for sales.
    private const int DefaultLimit = 100;
    private const int MaxLimit = 10_000;

    public static void MapLedger(this IEndpointRouteBuilder control)
    {
        control.MapGet("/ledger", ListAsync);
        control.MapGet("/ledger/summary", (Ledger ledger) => ledger.ReadAsync(tables => tables.Queries.Summary()));
        control.MapPost("/sessions/{pdiSessionId}/void", VoidAsync);
    }

    private static async Task<LedgerPage> ListAsync([AsParameters] LedgerFilter filter, Ledger ledger)
    {
        var limit = Math.Clamp(filter.Limit ?? DefaultLimit, 1, MaxLimit);
        var rows = await ledger.ReadAsync(
            tables => tables.Queries.Sessions(filter.PdiSessionId, filter.TransactionId, filter.ChannelId, limit));
        return new LedgerPage([.. rows.Select(LedgerEntry.From)]);
    }

    private static Task<Answer> VoidAsync(string pdiSessionId, Ledger ledger) => ledger.WriteAsync(tables =>
    {
        if (tables.Sessions.Find(pdiSessionId) is not { } session)
            return Refusals.SessionNotFound(pdiSessionId);

        if (!session.IsOpen)
            return Refusals.SessionClosed(session);

        var voided = session with { Status = Session.Voided };
        tables.Sessions.Close(voided);
        return Answer.Json(LedgerEntry.From(new LedgerSession(voided, Finalizes: 0, RequestedEarnedPoints: null)));
    });
}

internal sealed record LedgerFilter(
    [FromQuery] string? PdiSessionId, [FromQuery] string? TransactionId, [FromQuery] string? ChannelId, [FromQuery] int? Limit);

internal sealed record LedgerPage(IReadOnlyList<LedgerEntry> Sessions);

internal sealed record LedgerEntry(
    string PdiSessionId,
    string CustomerId,
    string ChannelId,
    string TransactionId,
    string? StoreId,
    string Status,
    DateTimeOffset OpenedAt,
    DateTimeOffset? FinalizedAt,
    decimal? FinalAmount,
    long? RequestedEarnedPoints,
    long EarnedPoints,
    long RedeemedPoints,
    long? NewBalance,
    string? ReceiptId,
    long Finalizes)
{
    public static LedgerEntry From(LedgerSession row) => new(
        row.Session.PdiSessionId,
        row.Session.CustomerId,
        row.Session.ChannelId,
        row.Session.TransactionId,
        row.Session.StoreId,
        row.Session.Status,
        row.Session.OpenedAt,
        row.Session.FinalizedAt,
        row.Session.FinalAmount,
        row.RequestedEarnedPoints,
        row.Session.EarnedPoints,
        row.Session.RedeemedPoints,
        row.Session.NewBalance,
        row.Session.ReceiptId,
        row.Finalizes);
}
