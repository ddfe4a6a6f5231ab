-- One row an Idempotency-Key that was sent: first a claim (busy_until), then the first answer (status, version, body). busy_until is
-- also the claim's fence, since whoever takes over a claim that has run out gets a later one. The rules of 0001 hold here too: the key
-- is a hash and so random, and an answer is stored by an update that touches no index. created_at changes only where a dead claim or
-- an entry older than the window is claimed anew. A claim is small and its answer is some five times larger: hence half a page of room.
create table idempotency_keys (
    key         uuid        not null primary key,
    fingerprint uuid        not null,
    created_at  timestamptz not null,
    busy_until  timestamptz,
    status      integer,
    version     integer,
    body        bytea,

    constraint idempotency_keys_busy_or_answered check (
        (busy_until is null) = (status is not null)
        and (busy_until is null) = (version is not null)
        and (busy_until is null) = (body is not null))
) with (fillfactor = 50);

-- For the clean-up, which walks along it.
create index idempotency_keys_created_at on idempotency_keys (created_at);
