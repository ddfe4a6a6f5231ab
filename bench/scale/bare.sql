-- The work of the two jobs in bare SQL: the service's statements in a procedure on the server, in batches as large as its largest, one transaction
-- each. No service, round trips, lease or progress reports, and no bound on the WAL that a batch writes.
create or replace procedure bare_expire(position_at timestamptz, until timestamptz, batch int, inout handled bigint default 0) language plpgsql as $$
declare
    position_id uuid := '00000000-0000-0000-0000-000000000000'; seen int; done int;
begin
    loop
        with page as materialized (
            select ctid as place, id, expires_at, status from sessions where (expires_at, id) > (position_at, position_id) and expires_at <= until
             order by expires_at, id limit batch),
        changed as (
            update sessions
               set status = 'failed', version = version + 1, busy_until = null, failure_reason = 'expired', failed_at = now(), deleted_at = now()
             where ctid = any (array(select place from page where status in ('pending', 'active', 'pending_finalization')))
               and status in ('pending', 'active', 'pending_finalization')
            returning id, version, status, earned_points, redeemed_points, reward_source),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, reward_source)
            select id, version, 'expired', status, 'job', now(), earned_points, redeemed_points, reward_source from changed),
        settled as (delete from pdi_work where session_id = any (array(select id from changed intersect select id from page where status = 'pending')))
        select (select count(*) from page), (select count(*) from changed), last.expires_at, last.id into seen, done, position_at, position_id
          from (select expires_at, id from page order by expires_at desc, id desc limit 1) as last;
        exit when seen is null;
        handled := handled + done;
        commit;
    end loop;
end $$;

create or replace procedure bare_archive(position_at timestamptz, until timestamptz, batch int, inout handled bigint default 0) language plpgsql as $$
declare
    position_id uuid := '00000000-0000-0000-0000-000000000000'; seen int; done int;
begin
    loop
        with page as materialized (
            select ctid as place, id, created_at, status, coalesce(finalized_at, failed_at, expires_at) as closed_at
              from sessions where (created_at, id) > (position_at, position_id) and created_at <= until
             order by created_at, id limit batch),
        moved as (
            delete from sessions
             where ctid = any (array(select place from page where status in ('finalized', 'failed') and closed_at <= until))
               and status in ('finalized', 'failed')
            returning *),
        kept as (insert into sessions_archive select now(), moved.* from moved),
        moved_events as (delete from session_events where session_id = any (array(select id from moved)) returning *),
        kept_events as (insert into session_events_archive select * from moved_events)
        select (select count(*) from page), (select count(*) from moved), last.created_at, last.id into seen, done, position_at, position_id
          from (select created_at, id from page order by created_at desc, id desc limit 1) as last;
        exit when seen is null;
        handled := handled + done;
        commit;
    end loop;
end $$;
