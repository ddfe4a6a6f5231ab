using LoyaltyService.Security;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Sessions;

/// <summary>
/// A session's change as one statement: the row, its event, and the row of <c>pdi_work</c>. Each form returns a row if the change was
/// applied: the place of the row of <c>pdi_work</c>, if the change inserted one.
/// </summary>
internal static class PostgresSessionChange
{
    private const string UpdateWhere = """
        with changed as (
            update sessions
               set status = $4, version = version + 1, busy_until = null,
                   pdi_session_id = $5, customer_name = $6, current_points = $7, tier = $8, identified_version = $9,
                   earned_points = $10, reward_source = $11,
                   finalize_fingerprint = $12, finalize_key = $13, final_amount = $14, apply_rewards = $15, redeem_points = $16,
                   redeemed_points = $17, new_balance = $18, receipt_id = $19,
                   finalized_at = case when $4 = 'finalized' then now() end, failed_at = case when $4 = 'failed' then now() end,
                   failure_reason = $20, failure_code = $21, failure_message = $22
             where id = $1 and version = $2 and status = $3
        """;

    private const string ThenTell = """

            returning id, version, status, earned_points, redeemed_points, reward_source),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, amount,
                                        earned_points, redeemed_points, reward_source, detail, trace_id)
            select id, version, $23, status, $24, now(), $25, earned_points, redeemed_points, reward_source, $26, $27 from changed)
        """;

    private const string Update = UpdateWhere + ThenTell;

    private const string SaveOnly = Update + "\nselect null::tid from changed";

    // Due time, age and attempts date from before the intent.
    private const string SaveAndOwe = Update + """
        ,
        owed as (
            insert into pdi_work (session_id, created_at, due_at, lease_until) select id, now(), now(), now() + $28 from changed
            on conflict (session_id) do update
               set due_at = excluded.due_at, lease_until = excluded.lease_until, fence = pdi_work.fence + 1,
                   attempts = 0, replayed_at = excluded.created_at, parked_at = null, last_error = null
            returning ctid)
        select ctid from owed
        """;

    private const string Settle = """
        ,
        settled as (delete from pdi_work where session_id in (select id from changed))
        select null::tid from changed
        """;

    private const string SaveAndSettle = Update + Settle;

    private static readonly string SaveAndAbandon = UpdateWhere + """

               and exists (select from pdi_work where session_id = $1 and parked_at is not null)
        """ + ThenTell + $",\naudited as ({PostgresAuditStore.InsertOf("$28")} from changed where $28::text[] is not null)" + Settle;

    // Not claimed since the intent was stored, and not claimable yet.
    private const string SaveAndWithdraw = UpdateWhere + """

               and exists (select from pdi_work where session_id = $1 and attempts = 0 and lease_until > now())
        """ + ThenTell + Settle;

    // pdi_work is so small that all sales in flight share one index page. Under serializable isolation, a lookup in that page conflicts with every insert
    // into it; a lookup by ctid conflicts with none. If the row has moved meanwhile, a worker holds it and deletes it when nothing is left to
    // do.
    private const string SaveAndSettleKnown = Update + """
        ,
        settled as (delete from pdi_work where ctid = $28 and session_id = $1 and exists (select from changed))
        select null::tid from changed
        """;

    /// <summary>Adds the change of the work, with its parameters, to the statement.</summary>
    public static (string Statement, NpgsqlParameter[] Parameters) StatementOf(SessionChange change) => change switch
    {
        { Work: PdiWorkChange.Owed } => (SaveAndOwe, [.. Parameters(change), Param.Of(change.WorkLease)]),
        { Work: PdiWorkChange.Settled, Before.WorkRow: { } row } => (
            SaveAndSettleKnown, [.. Parameters(change), new NpgsqlParameter<NpgsqlTid> { TypedValue = new(row.Block, row.Offset), NpgsqlDbType = NpgsqlDbType.Tid }]),
        { Work: PdiWorkChange.Settled } => (SaveAndSettle, Parameters(change)),
        { Work: PdiWorkChange.Withdrawn } => (SaveAndWithdraw, Parameters(change)),
        { Work: PdiWorkChange.Abandoned } => (SaveAndAbandon, [.. Parameters(change), PostgresAuditStore.ParamOf(change.Audit)]),
        _ => (SaveOnly, Parameters(change)),
    };

    private static NpgsqlParameter[] Parameters(SessionChange change)
    {
        var (before, after) = (change.Before, change.After);
        return
        [
            Param.Of(before.Id), Param.Of(before.Version), Param.Of(before.Status.ToText()),
            Param.Of(after.Status.ToText()), Param.Of(after.PdiSessionId), Param.Of(after.CustomerName), Param.Of(after.CurrentPoints),
            Param.Of(after.Tier), Param.Of(after.IdentifiedVersion), Param.Of(after.EarnedPoints), Param.Of(after.RewardSource),
            Param.Of(after.Intent?.Fingerprint), Param.Of(after.Intent?.PdiKey), Param.Of(after.Intent?.FinalAmount),
            Param.Of(after.Intent?.ApplyRewards), Param.Of(after.Intent?.RedeemPoints),
            Param.Of(after.RedeemedPoints), Param.Of(after.NewBalance), Param.Of(after.ReceiptId),
            Param.Of(after.Failure?.Reason), Param.Of(after.Failure?.Code), Param.Of(after.Failure?.Message),
            Param.Of(change.Event.ToText()), Param.Of(change.Cause), Param.Of(change.Amount),
            Param.Of(change.Detail ?? after.Failure?.Code), Param.Of(change.TraceId),
        ];
    }
}
