-- A job may also wait behind others: 1 goes before them, 0 and NULL in turn, -1 behind them.
ALTER TABLE jobs RENAME COLUMN is_urgent TO priority;
