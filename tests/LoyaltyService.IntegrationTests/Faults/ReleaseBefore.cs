namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// The statements of the development before migration 0003, which knew neither <c>failed_at</c> nor the archive, with their values filled in: the
/// last migration that changed columns of these tables (0006 changes their indexes). No release had that schema, 0.1.0 began with 0005; the last
/// release itself is built and run by another test, where the history is there. To be moved on with the next migration that changes a column.
/// </summary>
internal static class ReleaseBefore
{
    /// <summary>A new session, by a client that sends no credentials.</summary>
    public static async Task<Guid> CreateAsync(Books books, string transactionId)
    {
        var id = Guid.NewGuid();
        await books.ExecuteAsync($"""
            with created as (
                insert into sessions (id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata,
                                      identify_fingerprint, trace_id, created_at, expires_at, status, version, busy_until)
                values ('{id}', gen_random_uuid(), 'local', 'POS-001', '{transactionId}', null, 'CUST-12345', null,
                        gen_random_uuid(), null, now(), now() + interval '24 hours', 'pending', 1, now() + interval '7 seconds')
                on conflict (sale_key) do nothing
                returning *),
            timeline as (
                insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, trace_id)
                select id, version, 'created', status, 'request', created_at, 0, 0, trace_id from created)
            select id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata, identify_fingerprint, trace_id,
                   created_at, expires_at, status, version, pdi_session_id, customer_name, current_points, tier, identified_version,
                   earned_points, reward_source, finalize_fingerprint, finalize_key, final_amount, apply_rewards, redeem_points,
                   redeemed_points, new_balance, receipt_id, finalized_at, failure_reason, failure_code, failure_message,
                   busy_until is not null and busy_until > now() as is_busy, expires_at <= now() as is_expired
              from created
            """);
        return id;
    }

    /// <summary>Identified, asked to finalize, finalized.</summary>
    public static async Task FinalizeAsync(Books books, Guid id)
    {
        await ChangeAsync(books, id, version: 1, "pending", "active", "identified");
        await ChangeAsync(books, id, version: 2, "active", "finalizing", "finalize_requested", Intent, work: """
            , owed as (
                insert into pdi_work (session_id, created_at, due_at, lease_until) select id, now(), now(), now() + interval '12 seconds' from changed
                on conflict (session_id) do update
                   set lease_until = excluded.lease_until, fence = pdi_work.fence + 1, attempts = 0, parked_at = null, last_error = null
                returning ctid)
            select ctid from owed
            """);
        await ChangeAsync(books, id, version: 3, "finalizing", "finalized", "finalized", Intent, receipt: "'RCPT-1'", work: """
            , settled as (delete from pdi_work where session_id in (select id from changed))
            select null::tid from changed
            """);
    }

    public static Task FailAsync(Books books, Guid id) =>
        ChangeAsync(books, id, version: 1, "pending", "failed", "identify_rejected", failure: "'pdi_rejected'");

    private const string NoIntent = "finalize_fingerprint = null, finalize_key = null, final_amount = null, apply_rewards = null, redeem_points = null";

    private const string Intent = """
        finalize_fingerprint = '00000000-0000-4000-8000-000000000001', finalize_key = '00000000-0000-4000-8000-000000000002',
        final_amount = 150.00, apply_rewards = true, redeem_points = 0
        """;

    private static Task ChangeAsync(
        Books books, Guid id, int version, string from, string to, string what, string intent = NoIntent, string receipt = "null", string failure = "null",
        string work = "select null::tid from changed") => books.ExecuteAsync($"""
        with changed as (
            update sessions
               set status = '{to}', version = version + 1, busy_until = null,
                   pdi_session_id = 'pdi-{id}', customer_name = 'John Doe', current_points = 5000, tier = 'Gold', identified_version = 2,
                   earned_points = 450, reward_source = 'pdi', {intent},
                   redeemed_points = 0, new_balance = 5450, receipt_id = {receipt},
                   finalized_at = case when '{to}' = 'finalized' then now() end,
                   failure_reason = {failure}, failure_code = null, failure_message = null
             where id = '{id}' and version = {version} and status = '{from}'
            returning id, version, status, earned_points, redeemed_points, reward_source),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, amount,
                                        earned_points, redeemed_points, reward_source, detail, trace_id)
            select id, version, '{what}', status, 'request', now(), null, earned_points, redeemed_points, reward_source, null, null from changed)
        {work}
        """);
}
