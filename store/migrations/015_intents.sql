-- A run that is being sent: what it is looked for by if Easel is killed before its id is stored.
ALTER TABLE jobs ADD COLUMN intent TEXT;  -- NULL: nothing is under way without an id
UPDATE jobs SET intent = '' WHERE status = 'running' AND remote_id IS NULL;
