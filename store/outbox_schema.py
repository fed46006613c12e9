"""The outbox of webhooks, kept up by the table `jobs` itself.

Triggers write what is to be told in the statement that takes a job in or ends it, so there is no moment at which a
crash could lose one without the other. What is sent is written from the job's row at the time of sending: no words of
people lie here.
"""

from typing import Final

_TABLE: Final = """
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
"""

# `{job}` is the row of a job, `{event}` and `{at}` expressions, `{rest}` what follows.
_TELL: Final = """
INSERT OR IGNORE INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
SELECT lower(hex(randomblob(8))), w.id, {job}.id, {event}, '', 0, {at}, 0, ''
FROM webhooks AS w {rest} w.job_id IN ('', {job}.id) AND instr(' ' || w.events || ' ', ' ' || {event} || ' ');
"""
_END: Final = "CASE {job}.status WHEN 'done' THEN 'finished' ELSE 'failed' END"


def _tell(job: str, event: str, at: str, rest: str = "WHERE") -> str:
    return _TELL.format(job=job, event=event, at=f"{job}.{at}", rest=rest)


def _tell_end(job: str, rest: str = "WHERE") -> str:
    return _tell(job, _END.format(job=job), "finished_at", rest)


# A job that ended within a day before the update, and that an older version never told of.
_MISSED: Final = _tell_end(
    "j",
    "JOIN jobs AS j ON j.finished_at > CAST(strftime('%s', 'now') AS REAL) - 86400 "
    "AND j.finished_at >= w.created_at WHERE",
)

_TRIGGERS: Final = f"""
CREATE TRIGGER webhook_outbox_came AFTER INSERT ON jobs
BEGIN
{_tell("NEW", "'queued'", "created_at")}
{_tell_end("NEW", "WHERE NEW.finished_at IS NOT NULL AND")}
END;
CREATE TRIGGER webhook_outbox_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') AND OLD.status IN ('queued', 'running')
BEGIN
{_tell_end("NEW")}
END
"""

OUTBOX: Final = _TABLE + _MISSED + _TRIGGERS
