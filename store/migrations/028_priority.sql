-- adds only: the version before goes on with it
-- A job may also wait behind others: 1 goes before them, 0 in turn, -1 behind them. NULL: of a job that was taken in
-- before, whose `is_urgent` says it.
ALTER TABLE jobs ADD COLUMN priority INTEGER;
