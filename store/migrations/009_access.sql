CREATE TABLE api_keys (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL,
    hash            TEXT NOT NULL UNIQUE,
    scopes          TEXT NOT NULL,  -- with a space between
    user_key        TEXT NOT NULL,
    rate_per_minute REAL,
    created_at      REAL NOT NULL,
    last_used_at    REAL,
    expires_at      REAL,
    revoked_at      REAL
) WITHOUT ROWID;

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    user_key   TEXT NOT NULL,
    name       TEXT NOT NULL,
    avatar     TEXT NOT NULL,
    csrf       TEXT NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    job_id     TEXT NOT NULL,  -- empty: of every job
    url        TEXT NOT NULL,  -- sealed
    events     TEXT NOT NULL,  -- with a space between
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhooks_job ON webhooks (job_id);

CREATE TABLE webhook_deliveries (
    id         TEXT PRIMARY KEY,
    hook_id    TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    job_id     TEXT NOT NULL,
    event      TEXT NOT NULL,
    body       TEXT NOT NULL,  -- emptied at the end
    failures   INTEGER NOT NULL,
    created_at REAL NOT NULL,
    due_at     REAL,           -- NULL: delivered or given up
    answer     TEXT NOT NULL,  -- what came of the last attempt
    UNIQUE (hook_id, job_id, event)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE due_at IS NOT NULL;
