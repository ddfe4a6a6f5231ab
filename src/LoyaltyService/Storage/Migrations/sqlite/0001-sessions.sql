-- The same tables as for PostgreSQL. UUIDs are blobs of 16 bytes, times are milliseconds since 1970 (UTC), amounts are cents.
create table sessions (
    id                   blob    not null primary key,
    sale_key             blob    not null unique,
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

    constraint sessions_status_known check (status in ('pending', 'active', 'pending_finalization', 'finalizing', 'finalized', 'failed')),
    constraint sessions_version_counts check (version >= 1),
    constraint sessions_points_not_negative check (earned_points >= 0 and redeemed_points >= 0),
    constraint sessions_intent_whole check (
        (finalize_key is null) = (finalize_fingerprint is null)
        and (finalize_key is null) = (final_amount is null)
        and (finalize_key is null) = (apply_rewards is null)
        and (finalize_key is null) = (redeem_points is null)),
    constraint sessions_finalizing_has_intent check (status <> 'finalizing' or finalize_key is not null),
    constraint sessions_finalized_has_receipt check (
        (status = 'finalized') = (finalized_at is not null)
        and (status <> 'finalized' or (receipt_id is not null and new_balance is not null and finalize_key is not null))),
    constraint sessions_failed_has_reason check ((status = 'failed') = (failure_reason is not null))
) strict, without rowid;

create index sessions_expires_at on sessions (expires_at);

create table session_events (
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

create table pdi_work (
    session_id  blob    not null primary key,
    created_at  integer not null,
    due_at      integer not null,
    lease_until integer,
    fence       integer not null default (abs(random() % 1000000000)),
    attempts    integer not null default 0,
    replayed_at integer,
    parked_at   integer,
    last_error  text
) strict, without rowid;
