-- Fills a migrated database with :sessions sessions, two events each, the oldest first; four parts of :due sessions, and the rest:
--   overdue 1, overdue 2     identified and never finalized, expired 40 to 39 and 38 to 37 days ago: for the expiry
--   closed 1, closed 2       finalized 36 to 35 and 34 to 33 days ago: for the archive
--   recent                   finalized within the last 29 days
-- The first of each pair is for the same work in bare SQL, the second for the service.
\set ON_ERROR_STOP on
set synchronous_commit = off;
set maintenance_work_mem = '512MB';

drop index sessions_expires_at, sessions_customer, sessions_transaction, sessions_created_at;
alter table sessions drop constraint sessions_pkey, drop constraint sessions_sale_key_key;
alter table session_events drop constraint session_events_pkey;

insert into sessions (
    id, sale_key, client, channel_id, transaction_id, customer_id, identify_fingerprint, created_at, expires_at, status, version, pdi_session_id,
    customer_name, current_points, tier, identified_version, earned_points, reward_source, finalize_fingerprint, finalize_key, final_amount,
    apply_rewards, redeem_points, new_balance, receipt_id, finalized_at)
select gen_random_uuid(), gen_random_uuid(), 'till', 'POS-' || n % 500, 'TXN-G-' || n, 'CUST-LOAD-' || n % 100000, gen_random_uuid(),
       expires_at - interval '1 day', expires_at, case when is_open then 'active' else 'finalized' end, case when is_open then 2 else 5 end,
       'pdi-' || n, 'Load Customer', 1000, 'Gold', 2, case when is_open then 0 else 450 end, case when is_open then null else 'pdi' end,
       case when is_open then null else gen_random_uuid() end, case when is_open then null else gen_random_uuid() end,
       case when is_open then null else 150.00 end, case when is_open then null else true end, case when is_open then null else 0 end,
       case when is_open then null else 1450 end, case when is_open then null else 'RCP-' || n end,
       case when is_open then null else expires_at - interval '23 hours' end
  from (select n,
               part < 2 as is_open,
               now() - (array[interval '40 days', '38 days', '36 days', '34 days', '29 days'])[part + 1]
                     + case when part < 4 then interval '1 day' * ((n - part * :due)::float8 / :due)
                            else interval '28 days' * ((n - 4 * :due)::float8 / (:sessions - 4 * :due)) end as expires_at
          from (select n, least((n - 1) / :due, 4) as part from generate_series(1, :sessions) as n) as parts) as drawn;

insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points)
select id, 1, 'created', 'pending', 'request', created_at, 0, 0 from sessions
union all
select id, version, case status when 'active' then 'identified' else 'finalized' end, status, 'request', created_at, earned_points, 0 from sessions;

alter table sessions add primary key (id), add unique (sale_key);
alter table session_events add primary key (session_id, version);
create index sessions_expires_at on sessions (expires_at);
create index sessions_customer on sessions (customer_id, created_at);
create index sessions_transaction on sessions (transaction_id);
create index sessions_created_at on sessions (created_at);
vacuum analyze sessions;
vacuum analyze session_events;
checkpoint;
