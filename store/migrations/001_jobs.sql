CREATE TABLE jobs (
    id                TEXT PRIMARY KEY,
    status            TEXT NOT NULL,
    lane              TEXT NOT NULL,
    door              TEXT NOT NULL,
    user_key          TEXT NOT NULL,
    channel_id        TEXT,
    message_id        TEXT,
    reply_token       TEXT NOT NULL DEFAULT '',  -- sealed
    reply_token_until REAL,
    weight            REAL NOT NULL,
    attempt           INTEGER NOT NULL,
    remote_id         TEXT,
    created_at        REAL NOT NULL,
    not_before        REAL,
    started_at        REAL,
    finished_at       REAL,
    delivered_at      REAL,
    candidates        TEXT NOT NULL,
    tried             TEXT NOT NULL,
    notes             TEXT NOT NULL,
    origin            TEXT NOT NULL,
    request           TEXT NOT NULL,
    drawn             TEXT NOT NULL,
    result            TEXT,
    error             TEXT
);
CREATE INDEX jobs_active ON jobs (created_at, id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_active_user ON jobs (user_key, created_at, id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_undelivered ON jobs (door, finished_at, id) WHERE finished_at IS NOT NULL AND delivered_at IS NULL;
CREATE INDEX jobs_message ON jobs (message_id, created_at) WHERE message_id IS NOT NULL;
CREATE INDEX jobs_user ON jobs (user_key, created_at, id);
CREATE INDEX jobs_status ON jobs (status);

CREATE TABLE lane_pace (
    lane             TEXT NOT NULL,
    model            TEXT NOT NULL,
    seconds_per_cost REAL NOT NULL,
    samples          INTEGER NOT NULL,
    PRIMARY KEY (lane, model)
) WITHOUT ROWID;
