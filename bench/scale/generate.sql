-- Fills a migrated database with :sessions sessions of two events each, oldest first, in five parts. All but `recent` have :due sessions.
--   0, 1  closed 1, closed 2     finalized 36 to 35 and 34 to 33 days ago, for the archive
--   2     recent                 finalized within the last 29 days
--   3, 4  overdue 1, overdue 2   identified and never finalized, expired 4 to 3 and 2 to 1 days ago, for the expiry. It starts where its last
--                                successful run started, and so meets no other part
-- The first of each pair is for bare SQL, the second for the service.
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
  from (select n, part > 2 as is_open,
               now() - (array[interval '36 days', '34 days', '29 days', '4 days', '2 days'])[part + 1]
                     + case part when 2 then interval '24 days' else interval '1 day' end * ((n - first)::float8 / size) as expires_at
          from (select n, part,
                       case when part < 3 then part * :due else :sessions - (5 - part) * :due end as first,
                       case part when 2 then :sessions - 4 * :due else :due end as size
                  from (select n, case when n <= 2 * :due then (n - 1) / :due
                                       when n <= :sessions - 2 * :due then 2
                                       else 3 + (n - 1 - (:sessions - 2 * :due)) / :due end as part
                          from generate_series(1, :sessions) as n) as numbered) as parts) as drawn;

insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points)
select id, 1, 'created', 'pending', 'request', created_at, 0, 0 from sessions where transaction_id like 'TXN-G-%'
union all
select id, version, case status when 'active' then 'identified' else 'finalized' end, status, 'request', created_at, earned_points, 0
  from sessions where transaction_id like 'TXN-G-%';

alter table sessions add primary key (id), add unique (sale_key);
alter table session_events add primary key (session_id, version);
create index sessions_expires_at on sessions (expires_at);
create index sessions_customer on sessions (customer_id, created_at);
create index sessions_transaction on sessions (transaction_id, created_at);
create index sessions_created_at on sessions (created_at);
vacuum analyze sessions;
vacuum analyze session_events;
checkpoint;
