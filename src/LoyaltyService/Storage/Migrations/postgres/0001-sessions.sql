-- One row a session, of nearly fixed size, updated in place. Two rules keep serializable isolation at the price of none:
--   * no index on a column that changes, and room in every page (fillfactor 70), so that updates are HOT and touch no index;
--   * random keys (UUIDv4, a hash), so that sales that run at the same time do not share an index page.
-- The one time column with an index, expires_at, never changes; expiry, archiving and reconciliation all walk along it.
create table sessions (
    id                   uuid        not null primary key,
    sale_key             uuid        not null unique,
    client               text        not null,
    channel_id           text        not null,
    transaction_id       text        not null,
    store_id             text,
    customer_id          text        not null,
    metadata             text,
    identify_fingerprint uuid        not null,
    trace_id             text,
    created_at           timestamptz not null,
    expires_at           timestamptz not null,

    status               text        not null,
    version              integer     not null,
    busy_until           timestamptz,
    pdi_session_id       text,
    customer_name        text,
    current_points       bigint      not null default 0,
    tier                 text,
    identified_version   integer,
    earned_points        bigint      not null default 0,
    reward_source        text,
    finalize_fingerprint uuid,
    finalize_key         uuid,
    final_amount         numeric(8, 2),
    apply_rewards        boolean,
    redeem_points        bigint,
    redeemed_points      bigint      not null default 0,
    new_balance          bigint,
    receipt_id           text,
    finalized_at         timestamptz,
    failure_reason       text,
    failure_code         text,
    failure_message      text,
    deleted_at           timestamptz,

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
) with (fillfactor = 70);

create index sessions_expires_at on sessions (expires_at);

-- Append-only: every transition, written in its own transaction. The key is also the rule that versions have no double.
create table session_events (
    session_id      uuid        not null,
    version         integer     not null,
    event           text        not null,
    status          text        not null,
    cause           text        not null,
    at              timestamptz not null,
    amount          numeric(8, 2),
    earned_points   bigint      not null,
    redeemed_points bigint      not null,
    reward_source   text,
    detail          text,
    trace_id        text,
    primary key (session_id, version)
);

-- Sessions that PDI still owes something: one row each, gone when PDI has answered. Who works on a row holds its lease, by this
-- database's clock; fence counts the leases, so that a holder who was away too long cannot write any more. It starts anywhere, so that
-- the row of a later intent is not taken for that of an earlier one.
create table pdi_work (
    session_id  uuid        not null primary key,
    created_at  timestamptz not null,
    due_at      timestamptz not null,
    lease_until timestamptz,
    fence       integer     not null default floor(random() * 1000000000),
    attempts    integer     not null default 0,
    -- When an operator replayed the item: its time until it is parked starts again, and since when it waits is still known.
    replayed_at timestamptz,
    parked_at   timestamptz,
    last_error  text
) with (fillfactor = 70);
