-- Numbers of transactions come again in every channel: those of one number are walked along newest first, and not sorted each time.
drop index sessions_transaction;
drop index sessions_archive_transaction;
create index sessions_transaction on sessions (transaction_id, created_at);
create index sessions_archive_transaction on sessions_archive (transaction_id, created_at);
