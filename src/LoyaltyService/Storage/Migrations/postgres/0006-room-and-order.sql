-- Room for updates in place. A session is some 220 bytes when it is added and 400 in the end, and those of one moment lie on the same page: at 30 %
-- that is 11 of them, which take half of the page in the end, and the other half has a second version of nearly each. With less room those
-- that find none, most of all when many are changed in one transaction, are written elsewhere, and into every index.
alter table sessions set (fillfactor = 30);

-- Numbers of transactions come again in every channel: those of one number are walked along newest first, and not sorted each time.
drop index sessions_transaction, sessions_archive_transaction;
create index sessions_transaction on sessions (transaction_id, created_at);
create index sessions_archive_transaction on sessions_archive (transaction_id, created_at);
