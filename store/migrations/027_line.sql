-- The place of a job in line, so that a start reads it without the requests: the work and model of what is drawn, and
-- whether it goes first. NULL: of a job that was taken in before, whose request and origin say it.
ALTER TABLE jobs ADD COLUMN drawn_cost REAL;
ALTER TABLE jobs ADD COLUMN drawn_model TEXT;
ALTER TABLE jobs ADD COLUMN is_urgent INTEGER;

-- Lists of everybody's jobs, newest first, and the ids that an engine gave out lately.
CREATE INDEX jobs_created ON jobs (created_at, id);
CREATE INDEX jobs_door ON jobs (door, created_at, id);
CREATE INDEX jobs_remote ON jobs (lane, created_at, remote_id) WHERE remote_id IS NOT NULL;
