-- The same tables as for PostgreSQL.
create table notifications (
    id          blob    not null primary key,
    key         text    not null unique,
    subject     text    not null,
    body        text    not null,
    html        text,
    created_at  integer not null,
    due_at      integer not null,
    lease_until integer,
    attempts    integer not null default 0,
    ended_at    integer,
    outcome     text,
    last_error  text,
    constraint notifications_outcome_known check (outcome in ('sent', 'given_up', 'called_off')),
    constraint notifications_ended_with_outcome check ((ended_at is null) = (outcome is null))
) strict, without rowid;

create table last_start (
    what     text    not null primary key,
    value    text    not null,
    noted_at integer not null
) strict, without rowid;

create table maintenance_windows (
    id            blob    not null primary key,
    starts_at     integer not null,
    ends_at       integer not null,
    reason        text    not null,
    announced_by  text    not null,
    announced_at  integer not null,
    called_off_at integer,
    constraint maintenance_windows_end_after_start check (ends_at > starts_at)
) strict, without rowid;

create unique index maintenance_windows_open on maintenance_windows (starts_at, ends_at) where called_off_at is null;

-- day: as in 2026-01-31.
create table daily_counts (
    day   text    not null,
    name  text    not null,
    count integer not null,
    primary key (day, name)
) strict, without rowid;
