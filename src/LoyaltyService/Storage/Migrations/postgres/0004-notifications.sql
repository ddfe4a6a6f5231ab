-- What operators are told. Small tables, away from the sales: a few rows a day.

-- Mails on their way out. The key is what they tell of, so that whoever finds it out as well adds nothing. Who sends one holds its lease,
-- by this database's clock; attempts counts the holders.
create table notifications (
    id          uuid        not null primary key,
    key         text        not null unique,
    subject     text        not null,
    body        text        not null,
    html        text,
    created_at  timestamptz not null,
    due_at      timestamptz not null,
    lease_until timestamptz,
    attempts    integer     not null default 0,
    ended_at    timestamptz,
    outcome     text,
    last_error  text,
    constraint notifications_outcome_known check (outcome in ('sent', 'given_up', 'called_off')),
    constraint notifications_ended_with_outcome check ((ended_at is null) = (outcome is null))
);

-- What the last start found: version, configuration.
create table last_start (
    what     text        not null primary key,
    value    text        not null,
    noted_at timestamptz not null
);

-- Work on the database that was announced. The same hours are announced once.
create table maintenance_windows (
    id            uuid        not null primary key,
    starts_at     timestamptz not null,
    ends_at       timestamptz not null,
    reason        text        not null,
    announced_by  text        not null,
    announced_at  timestamptz not null,
    called_off_at timestamptz,
    constraint maintenance_windows_end_after_start check (ends_at > starts_at)
);

create unique index maintenance_windows_open on maintenance_windows (starts_at, ends_at) where called_off_at is null;

-- What all replicas have counted in a day, for the summary. Each adds its own from time to time.
create table daily_counts (
    day   date   not null,
    name  text   not null,
    count bigint not null,
    primary key (day, name)
) with (fillfactor = 70);
