-- What operators did. Rows are inserted, read and, after their time, deleted; never updated.
create table audit (
    id       uuid        not null primary key,
    at       timestamptz not null,
    client   text        not null,
    subject  text,
    source   text        not null,
    action   text        not null,
    target   text,
    outcome  text        not null,
    detail   text,
    trace_id text
);

create index audit_at on audit (at, id);
