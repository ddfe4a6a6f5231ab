-- An archive makes a fifth of a table dead rows in a few days, and the server then vacuums it. Pages that are in memory and changed already cost a vacuum
-- next to nothing of its allowance (autovacuum_vacuum_cost_limit, 200 by default): it goes through them in long runs, its log with it, and every sale
-- waits for that. With a tenth of the allowance it pauses ten times as often and takes the longer; nobody waits for its end.
alter table sessions set (autovacuum_vacuum_cost_limit = 20, autovacuum_vacuum_cost_delay = 2);
alter table session_events set (autovacuum_vacuum_cost_limit = 20, autovacuum_vacuum_cost_delay = 2);
alter table sessions_archive set (autovacuum_vacuum_cost_limit = 20, autovacuum_vacuum_cost_delay = 2);
alter table session_events_archive set (autovacuum_vacuum_cost_limit = 20, autovacuum_vacuum_cost_delay = 2);
