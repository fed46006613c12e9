-- The outbox of webhooks, kept up by the table jobs itself: triggers write what is to be told in the statement that
-- takes a job in or ends it. The body is written from the job's row when it is sent: no words of people lie here.
CREATE TABLE webhook_outbox (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which things happened
    id         TEXT NOT NULL UNIQUE,               -- told with every attempt: receivers drop repeats by it
    hook_id    TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    job_id     TEXT NOT NULL,  -- empty: about no job
    event      TEXT NOT NULL,
    body       TEXT NOT NULL,  -- empty: written from the job
    failures   INTEGER NOT NULL,
    created_at REAL NOT NULL,
    due_at     REAL,           -- 0: at once; NULL: delivered or given up
    answer     TEXT NOT NULL   -- what came of the last attempt
);
CREATE UNIQUE INDEX webhook_outbox_once ON webhook_outbox (hook_id, job_id, event, iif(job_id = '', id, ''));
CREATE INDEX webhook_outbox_due ON webhook_outbox (due_at, seq) WHERE due_at IS NOT NULL;

INSERT INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT id, hook_id, job_id, event, body, failures, created_at, due_at, answer FROM webhook_deliveries ORDER BY rowid;
DROP TABLE webhook_deliveries;

-- A job that ended within a day before the update, and that an older version never told of.
INSERT OR IGNORE INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT lower(hex(randomblob(8))), w.id, j.id, CASE j.status WHEN 'done' THEN 'finished' ELSE 'failed' END,
    '', 0, j.finished_at, 0, ''
FROM webhooks AS w
JOIN jobs AS j ON j.finished_at > CAST(strftime('%s', 'now') AS REAL) - 86400 AND j.finished_at >= w.created_at
WHERE w.job_id IN ('', j.id)
    AND instr(' ' || w.events || ' ', ' ' || CASE j.status WHEN 'done' THEN 'finished' ELSE 'failed' END || ' ');

CREATE TRIGGER webhook_outbox_came AFTER INSERT ON jobs
BEGIN
INSERT OR IGNORE INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT lower(hex(randomblob(8))), w.id, NEW.id, 'queued', '', 0, NEW.created_at, 0, ''
FROM webhooks AS w WHERE w.job_id IN ('', NEW.id) AND instr(' ' || w.events || ' ', ' ' || 'queued' || ' ');
INSERT OR IGNORE INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT lower(hex(randomblob(8))), w.id, NEW.id, CASE NEW.status WHEN 'done' THEN 'finished' ELSE 'failed' END,
    '', 0, NEW.finished_at, 0, ''
FROM webhooks AS w WHERE NEW.finished_at IS NOT NULL AND w.job_id IN ('', NEW.id)
    AND instr(' ' || w.events || ' ', ' ' || CASE NEW.status WHEN 'done' THEN 'finished' ELSE 'failed' END || ' ');
END;
CREATE TRIGGER webhook_outbox_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') AND OLD.status IN ('queued', 'running')
BEGIN
INSERT OR IGNORE INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT lower(hex(randomblob(8))), w.id, NEW.id, CASE NEW.status WHEN 'done' THEN 'finished' ELSE 'failed' END,
    '', 0, NEW.finished_at, 0, ''
FROM webhooks AS w WHERE w.job_id IN ('', NEW.id)
    AND instr(' ' || w.events || ' ', ' ' || CASE NEW.status WHEN 'done' THEN 'finished' ELSE 'failed' END || ' ');
END;
