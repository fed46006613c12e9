CREATE TABLE media (
    media_id   TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    job_id     TEXT,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    data       BLOB NOT NULL
);
CREATE INDEX media_expiry ON media (expires_at, size_bytes);
CREATE INDEX media_job ON media (job_id, kind, expires_at);

CREATE TABLE results (
    key    TEXT PRIMARY KEY,
    job_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX results_job ON results (job_id);
