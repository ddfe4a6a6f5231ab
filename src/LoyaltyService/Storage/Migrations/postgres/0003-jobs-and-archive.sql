-- Jobs, and what is old. The indexes added to sessions are on columns that never change, so its updates stay HOT.
alter table sessions add column failed_at timestamptz;

-- For operators: a customer's sales, a transaction, a time. Newest first is these indexes read backwards.
create index sessions_customer on sessions (customer_id, created_at);
create index sessions_transaction on sessions (transaction_id);
create index sessions_created_at on sessions (created_at);

-- Sessions that were closed long ago, moved out of the way of those in flight. archived_at stands first, so that a later migration adds
-- its column at the end of both tables. sale_key is not unique here: that a sale has one session was decided when it was created.
create table sessions_archive (archived_at timestamptz not null, like sessions including constraints);
alter table sessions_archive add primary key (id);
create index sessions_archive_sale_key on sessions_archive (sale_key);
create index sessions_archive_customer on sessions_archive (customer_id, created_at);
create index sessions_archive_transaction on sessions_archive (transaction_id);
create index sessions_archive_created_at on sessions_archive (created_at);

create table session_events_archive (like session_events including constraints);
alter table session_events_archive add primary key (session_id, version);

-- One row an occurrence of a job. Who runs it holds its lease, by this database's clock; fence counts the holders, so that one who was
-- away too long can neither report progress nor end the run.
create table job_runs (
    job           text        not null,
    scheduled_for timestamptz not null,
    by_hand       boolean     not null,
    started_at    timestamptz not null,
    lease_until   timestamptz not null,
    fence         integer     not null default 1,
    attempts      integer     not null default 1,
    handled       bigint      not null default 0,
    -- Where a run that is taken over goes on; each job has its own words for it.
    progress      text,
    finished_at   timestamptz,
    outcome       text,
    error         text,
    primary key (job, scheduled_for),
    constraint job_runs_outcome_known check (outcome in ('done', 'failed')),
    constraint job_runs_ended_with_outcome check ((finished_at is null) = (outcome is null))
);

-- One row a day that was compared with PDI's records.
create table reconciliation_runs (
    day         date        not null primary key,
    checked     bigint      not null,
    found       bigint      not null,
    finished_at timestamptz not null
);

-- What differed. A session has one open finding of a kind, however often it is looked at.
create table reconciliation_findings (
    id          uuid        not null primary key,
    day         date        not null,
    session_id  uuid        not null,
    kind        text        not null,
    here        text        not null,
    at_pdi      text        not null,
    found_at    timestamptz not null,
    resolved_at timestamptz,
    resolved_by text,
    resolution  text,
    constraint reconciliation_findings_kind_known check (kind in ('missing_at_pdi', 'amounts_differ', 'finalized_at_pdi_only')),
    constraint reconciliation_findings_resolved_whole check (
        (resolved_at is null) = (resolved_by is null) and (resolved_at is null) = (resolution is null))
);

create unique index reconciliation_findings_open on reconciliation_findings (session_id, kind) where resolved_at is null;
create index reconciliation_findings_found_at on reconciliation_findings (found_at, id);
