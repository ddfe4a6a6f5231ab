-- The same table as for PostgreSQL.
create table idempotency_keys (
    key         blob    not null primary key,
    fingerprint blob    not null,
    created_at  integer not null,
    busy_until  integer,
    status      integer,
    version     integer,
    body        blob,

    constraint idempotency_keys_busy_or_answered check (
        (busy_until is null) = (status is not null)
        and (busy_until is null) = (version is not null)
        and (busy_until is null) = (body is not null))
) strict, without rowid;

create index idempotency_keys_created_at on idempotency_keys (created_at);
