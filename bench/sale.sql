-- The ceiling: the SQL statements of one sale, run by pgbench with nothing around them. They are those of the service (PostgresSessionStore,
-- PostgresSessionChange), one transaction each, with parameters that pgbench can compute. After a serialization failure pgbench restarts the whole
-- script, which then finds its sale half done.
\set n random(1, 9000000000000000000)
\set channel random(1, 32)

-- identify: the session, the archive lookup, PDI's answer
with created as (
    insert into sessions (id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata,
                          identify_fingerprint, trace_id, created_at, expires_at, status, version, busy_until)
    values (md5(:n::text)::uuid, md5(:n::text || 'sale')::uuid, 'bench', 'POS-' || :channel::text, 'TXN-' || :n::text, null, 'CUST-LOAD-' || :channel::text,
            null, md5(:n::text || 'body')::uuid, md5(:n::text || 'trace'), now(), now() + interval '24 hours', 'pending', 1, now() + interval '7 seconds')
    on conflict (sale_key) do nothing
    returning *),
timeline as (
    insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, trace_id)
    select id, version, 'created', status, 'request', created_at, 0, 0, trace_id from created)
select COLUMNS from created;

select COLUMNS from sessions_archive where sale_key = md5(:n::text || 'sale')::uuid;

with changed as (
    update sessions
       set status = 'active', version = version + 1, busy_until = null,
           pdi_session_id = md5(:n::text || 'pdi'), customer_name = 'John Doe', current_points = 5000, tier = 'Gold', identified_version = 2,
           earned_points = 0, reward_source = null,
           finalize_fingerprint = null, finalize_key = null, final_amount = null, apply_rewards = null, redeem_points = null,
           redeemed_points = 0, new_balance = null, receipt_id = null,
           finalized_at = case when 'active' = 'finalized' then now() end, failed_at = case when 'active' = 'failed' then now() end,
           failure_reason = null, failure_code = null, failure_message = null
     where id = md5(:n::text)::uuid and version = 1 and status = 'pending'
    returning id, version, status, earned_points, redeemed_points, reward_source),
timeline as (
    insert into session_events (session_id, version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id)
    select id, version, 'identified', status, 'request', now(), null, earned_points, redeemed_points, reward_source, null, md5(:n::text || 'trace') from changed)
select null::tid from changed;

-- calculate: the session, its rewards
select COLUMNS from sessions where id = md5(:n::text)::uuid and client = 'bench';

with changed as (
    update sessions
       set status = 'pending_finalization', version = version + 1, busy_until = null,
           pdi_session_id = md5(:n::text || 'pdi'), customer_name = 'John Doe', current_points = 5000, tier = 'Gold', identified_version = 2,
           earned_points = 450, reward_source = 'pdi',
           finalize_fingerprint = null, finalize_key = null, final_amount = null, apply_rewards = null, redeem_points = null,
           redeemed_points = 0, new_balance = null, receipt_id = null,
           finalized_at = null, failed_at = null, failure_reason = null, failure_code = null, failure_message = null
     where id = md5(:n::text)::uuid and version = 2 and status = 'active'
    returning id, version, status, earned_points, redeemed_points, reward_source),
timeline as (
    insert into session_events (session_id, version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id)
    select id, version, 'calculated', status, 'request', now(), 150.00, earned_points, redeemed_points, reward_source, null, md5(:n::text || 'trace') from changed)
select null::tid from changed;

-- finalize: the session, the intent and its queue row, the receipt
select COLUMNS from sessions where id = md5(:n::text)::uuid and client = 'bench';

with changed as (
    update sessions
       set status = 'finalizing', version = version + 1, busy_until = null,
           pdi_session_id = md5(:n::text || 'pdi'), customer_name = 'John Doe', current_points = 5000, tier = 'Gold', identified_version = 2,
           earned_points = 450, reward_source = 'pdi',
           finalize_fingerprint = md5(:n::text || 'finalize')::uuid, finalize_key = md5(:n::text || 'key')::uuid, final_amount = 150.00,
           apply_rewards = true, redeem_points = 0,
           redeemed_points = 0, new_balance = null, receipt_id = null,
           finalized_at = null, failed_at = null, failure_reason = null, failure_code = null, failure_message = null
     where id = md5(:n::text)::uuid and version = 3 and status = 'pending_finalization'
    returning id, version, status, earned_points, redeemed_points, reward_source),
timeline as (
    insert into session_events (session_id, version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id)
    select id, version, 'finalize_requested', status, 'request', now(), 150.00, earned_points, redeemed_points, reward_source, null, md5(:n::text || 'trace') from changed),
owed as (
    insert into pdi_work (session_id, created_at, due_at, lease_until) select id, now(), now(), now() + interval '20 seconds' from changed
    on conflict (session_id) do update
       set lease_until = excluded.lease_until, fence = pdi_work.fence + 1, attempts = 0, parked_at = null, last_error = null
    returning ctid)
select coalesce((select ctid from owed), '(0,0)') as place \gset

with changed as (
    update sessions
       set status = 'finalized', version = version + 1, busy_until = null,
           pdi_session_id = md5(:n::text || 'pdi'), customer_name = 'John Doe', current_points = 5000, tier = 'Gold', identified_version = 2,
           earned_points = 450, reward_source = 'pdi',
           finalize_fingerprint = md5(:n::text || 'finalize')::uuid, finalize_key = md5(:n::text || 'key')::uuid, final_amount = 150.00,
           apply_rewards = true, redeem_points = 0,
           redeemed_points = 0, new_balance = 5450, receipt_id = md5(:n::text || 'receipt'),
           finalized_at = now(), failed_at = null, failure_reason = null, failure_code = null, failure_message = null
     where id = md5(:n::text)::uuid and version = 4 and status = 'finalizing'
    returning id, version, status, earned_points, redeemed_points, reward_source),
timeline as (
    insert into session_events (session_id, version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id)
    select id, version, 'finalized', status, 'request', now(), 150.00, earned_points, redeemed_points, reward_source, null, md5(:n::text || 'trace') from changed),
settled as (delete from pdi_work where ctid = :place::tid and session_id = md5(:n::text)::uuid and exists (select from changed))
select null::tid from changed;
