-- The same table as for PostgreSQL.
create table audit (
    id       blob    not null primary key,
    at       integer not null,
    client   text    not null,
    subject  text,
    source   text    not null,
    action   text    not null,
    target   text,
    outcome  text    not null,
    detail   text,
    trace_id text
) strict, without rowid;

create index audit_at on audit (at, id);
