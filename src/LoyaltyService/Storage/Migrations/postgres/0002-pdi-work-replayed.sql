-- When an operator replayed the item: its time until it is parked starts again, and since when it waits is still known.
alter table pdi_work add column replayed_at timestamptz;
