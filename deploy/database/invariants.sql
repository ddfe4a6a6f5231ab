-- Checks the invariants of the service's database (docs/architecture.md#the-rules-that-hold) in one snapshot. Run it after a restore, or at any time.
--   psql -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f deploy/database/invariants.sql
-- On failure, the error names each broken invariant and its number of rows.
do $$
declare
    broken text;
begin
    with every_session as (
        select id, sale_key, status, version, earned_points, redeemed_points from sessions
        union all
        select id, sale_key, status, version, earned_points, redeemed_points from sessions_archive),
    every_event as (
        select session_id, version, event, status, earned_points, redeemed_points from session_events
        union all
        select session_id, version, event, status, earned_points, redeemed_points from session_events_archive),
    steps as (
        select *, lag(status) over (partition by session_id order by version) as was, row_number() over (partition by session_id order by version) as place
          from every_event),
    legal (was, event, status) as (values
        ('pending', 'identified', 'active'),
        ('pending', 'identify_rejected', 'failed'),
        ('pending', 'calculated', 'pending'),
        ('pending', 'finalize_requested', 'finalizing'),
        ('pending', 'expired', 'failed'),
        ('active', 'expired', 'failed'),
        ('pending_finalization', 'expired', 'failed'),
        ('active', 'calculated', 'pending_finalization'),
        ('pending_finalization', 'calculated', 'pending_finalization'),
        ('active', 'finalize_requested', 'finalizing'),
        ('pending_finalization', 'finalize_requested', 'finalizing'),
        ('finalizing', 'identified', 'finalizing'),
        ('finalizing', 'identify_rejected', 'failed'),
        ('finalizing', 'finalized', 'finalized'),
        ('finalizing', 'finalize_refused', 'pending_finalization'),
        ('finalizing', 'finalize_withdrawn', 'pending_finalization'),
        ('finalizing', 'refused_after_expiry', 'failed'),
        ('finalizing', 'pdi_session_lost', 'failed'),
        ('pending', 'operator_resolved', 'failed'),
        ('finalizing', 'operator_resolved', 'failed')),
    checks (rule, rows) as (
        select 'I5: a session has an illegal transition', count(*) from steps
         where place > 1 and not exists (select from legal where legal.was = steps.was and legal.event = steps.event and legal.status = steps.status)
        union all
        select 'I5: a session does not start with created, pending', count(*) from steps where place = 1 and (event, status) <> ('created', 'pending')
        union all
        select 'I5: a session has a gap in its versions', count(*) from steps where version <> place
        union all
        select 'I5: a session does not match its last event', count(*) from every_session s
         where not exists (select from every_event e where e.session_id = s.id and e.version = s.version and e.status = s.status)
            or exists (select from every_event e where e.session_id = s.id and e.version > s.version)
        union all
        select 'an event has no session', count(*) from every_event e where not exists (select from every_session s where s.id = e.session_id)
        union all
        select 'I1, I2: a session was finalized more than once, or with other points', count(*) from every_session s
         where s.status = 'finalized'
           and 1 <> (select count(*) from every_event e where e.session_id = s.id and e.event = 'finalized'
                        and e.earned_points = s.earned_points and e.redeemed_points = s.redeemed_points)
        union all
        select 'I3, I8: a finalizing session is not in the queue for PDI', count(*) from sessions s
         where s.status = 'finalizing' and not exists (select from pdi_work w where w.session_id = s.id)
        union all
        select 'the queue for PDI has an item without an open session', count(*) from pdi_work w
         where not exists (select from sessions s where s.id = w.session_id and s.status in ('pending', 'finalizing'))
        union all
        select 'I6: a session is both current and archived', count(*) from sessions s join sessions_archive a using (id))
    select string_agg(rule || ': ' || rows, E'\n' order by rule) into broken from checks where rows > 0;
    if broken is not null then
        raise exception E'The database violates its invariants.\n%', broken;
    end if;
end
$$;
\echo The invariants hold.
