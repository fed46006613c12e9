-- Jobs that have ended and that the message bus is still to be told of, written by the statement that ends them.
CREATE TABLE bus_outbox (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they ended
    job_id TEXT NOT NULL UNIQUE
);
CREATE TABLE bus_wanted (is_on INTEGER PRIMARY KEY CHECK (is_on = 1));  -- one row while there is a bus

CREATE TRIGGER bus_outbox_came AFTER INSERT ON jobs WHEN NEW.finished_at IS NOT NULL
BEGIN
INSERT OR IGNORE INTO bus_outbox (job_id) SELECT NEW.id FROM bus_wanted;
END;
CREATE TRIGGER bus_outbox_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') AND OLD.status IN ('queued', 'running')
BEGIN
INSERT OR IGNORE INTO bus_outbox (job_id) SELECT NEW.id FROM bus_wanted;
END;
