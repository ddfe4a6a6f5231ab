-- The same tables as for PostgreSQL.
alter table sessions add column failed_at integer;

create index sessions_customer on sessions (customer_id, created_at);
create index sessions_transaction on sessions (transaction_id);
create index sessions_created_at on sessions (created_at);

create table sessions_archive (
    archived_at          integer not null,
    id                   blob    not null primary key,
    sale_key             blob    not null,
    client               text    not null,
    channel_id           text    not null,
    transaction_id       text    not null,
    store_id             text,
    customer_id          text    not null,
    metadata             text,
    identify_fingerprint blob    not null,
    trace_id             text,
    created_at           integer not null,
    expires_at           integer not null,
    status               text    not null,
    version              integer not null,
    busy_until           integer,
    pdi_session_id       text,
    customer_name        text,
    current_points       integer not null default 0,
    tier                 text,
    identified_version   integer,
    earned_points        integer not null default 0,
    reward_source        text,
    finalize_fingerprint blob,
    finalize_key         blob,
    final_amount         integer,
    apply_rewards        integer,
    redeem_points        integer,
    redeemed_points      integer not null default 0,
    new_balance          integer,
    receipt_id           text,
    finalized_at         integer,
    failure_reason       text,
    failure_code         text,
    failure_message      text,
    deleted_at           integer,
    failed_at            integer
) strict, without rowid;

create index sessions_archive_sale_key on sessions_archive (sale_key);
create index sessions_archive_customer on sessions_archive (customer_id, created_at);
create index sessions_archive_transaction on sessions_archive (transaction_id);
create index sessions_archive_created_at on sessions_archive (created_at);

create table session_events_archive (
    session_id      blob    not null,
    version         integer not null,
    event           text    not null,
    status          text    not null,
    cause           text    not null,
    at              integer not null,
    amount          integer,
    earned_points   integer not null,
    redeemed_points integer not null,
    reward_source   text,
    detail          text,
    trace_id        text,
    primary key (session_id, version)
) strict, without rowid;

create table job_runs (
    job           text    not null,
    scheduled_for integer not null,
    by_hand       integer not null,
    started_at    integer not null,
    lease_until   integer not null,
    fence         integer not null default 1,
    attempts      integer not null default 1,
    handled       integer not null default 0,
    progress      text,
    finished_at   integer,
    outcome       text,
    error         text,
    primary key (job, scheduled_for),
    constraint job_runs_outcome_known check (outcome in ('done', 'failed')),
    constraint job_runs_ended_with_outcome check ((finished_at is null) = (outcome is null))
) strict, without rowid;

-- day: as in 2026-01-31.
create table reconciliation_runs (
    day         text    not null primary key,
    checked     integer not null,
    found       integer not null,
    finished_at integer not null
) strict, without rowid;

create table reconciliation_findings (
    id          blob    not null primary key,
    day         text    not null,
    session_id  blob    not null,
    kind        text    not null,
    here        text    not null,
    at_pdi      text    not null,
    found_at    integer not null,
    resolved_at integer,
    resolved_by text,
    resolution  text,
    constraint reconciliation_findings_kind_known check (kind in ('missing_at_pdi', 'amounts_differ', 'finalized_at_pdi_only')),
    constraint reconciliation_findings_resolved_whole check (
        (resolved_at is null) = (resolved_by is null) and (resolved_at is null) = (resolution is null))
) strict, without rowid;

create unique index reconciliation_findings_open on reconciliation_findings (session_id, kind) where resolved_at is null;
create index reconciliation_findings_found_at on reconciliation_findings (found_at, id);
