-- Room in each page for a second version of each of its rows: sales that run at the same time lie on the same page, and what is committed
-- together updates all of them at once. With less room those that find none are written elsewhere, and into every index.
alter table sessions set (fillfactor = 50);

-- Numbers of transactions come again in every channel: those of one number are walked along newest first, and not sorted each time.
drop index sessions_transaction, sessions_archive_transaction;
create index sessions_transaction on sessions (transaction_id, created_at);
create index sessions_archive_transaction on sessions_archive (transaction_id, created_at);
