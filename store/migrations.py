"""The tables of `easel.sqlite3`, as numbered migrations: never edit one that was released, add the next.

Times are UTC epoch seconds, columns named like a value of `generation` hold its JSON.
"""

from store.gallery_schema import GALLERY
from store.intakes import SCHEMA as INTAKES
from store.outbox_schema import OUTBOX
from store.seals import SEALS
from store.uploads import UPLOADS
from store.words import SCHEMA as WORDS
from store.workflows import SCHEMA as WORKFLOWS

_M001_JOBS = """
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
) WITHOUT ROWID
"""

_M002_PREFERENCES = """
CREATE TABLE preferences (
    scope TEXT PRIMARY KEY,  -- user:ID, guild:ID, channel:ID
    draft TEXT NOT NULL
) WITHOUT ROWID
"""

_M003_CONNECTIONS = """
CREATE TABLE connections (
    id           TEXT PRIMARY KEY,
    owner_kind   TEXT NOT NULL,
    owner_id     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    url          TEXT NOT NULL,  -- sealed
    key          TEXT NOT NULL,  -- sealed
    label        TEXT NOT NULL,
    created_at   REAL NOT NULL,
    last_used_at REAL,
    UNIQUE (owner_kind, owner_id)
) WITHOUT ROWID
"""

_M004_ENGINES = """
CREATE TABLE rentals (
    lane          TEXT PRIMARY KEY,  -- of a connection
    provider      TEXT NOT NULL,
    usd_per_hour  REAL,              -- as its owner said
    reminds       INTEGER NOT NULL,
    first_used_at REAL,
    last_used_at  REAL,
    up_since      REAL,
    seen_up_at    REAL,
    down_since    REAL,
    reminded_at   REAL,
    warned_at     REAL
) WITHOUT ROWID;

CREATE TABLE comparisons (
    id         TEXT PRIMARY KEY,
    door       TEXT NOT NULL,
    prompt     TEXT NOT NULL,
    seed       INTEGER NOT NULL,
    contenders TEXT NOT NULL,  -- JSON: engines, their jobs, or why there is none
    created_at REAL NOT NULL
) WITHOUT ROWID
"""

# A program that asks twice under one Idempotency-Key gets one job.
_M008_REQUEST_KEYS = """
CREATE UNIQUE INDEX jobs_request_key ON jobs (user_key, json_extract(origin, '$.request_key'))
    WHERE json_extract(origin, '$.request_key') IS NOT NULL;
CREATE INDEX jobs_newest ON jobs (created_at, id)
"""

_M007_ACCESS = """
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
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE due_at IS NOT NULL
"""

_M005_PATIENCE = """
ALTER TABLE jobs ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN away_since REAL
"""

_M009_MACHINES = """
ALTER TABLE rentals ADD COLUMN machine_id TEXT NOT NULL DEFAULT '';
ALTER TABLE rentals ADD COLUMN machine_place TEXT NOT NULL DEFAULT ''
"""

# A run that is being sent: what it is looked for by if Easel is killed before its id is stored.
_M014_INTENTS = """
ALTER TABLE jobs ADD COLUMN intent TEXT;  -- NULL: nothing is under way without an id
UPDATE jobs SET intent = '' WHERE status = 'running' AND remote_id IS NULL
"""

MIGRATIONS = {
    "m001_jobs": _M001_JOBS,
    "m002_preferences": _M002_PREFERENCES,
    "m003_connections": _M003_CONNECTIONS,
    "m004_engines": _M004_ENGINES,
    "m005_patience": _M005_PATIENCE,
    "m005_workflows": WORKFLOWS,
    "m006_gallery": GALLERY,
    "m008_request_keys": _M008_REQUEST_KEYS,
    "m007_access": _M007_ACCESS,
    "m009_machines": _M009_MACHINES,
    "m010_intake": INTAKES,
    "m011_outbox": OUTBOX,
    "m012_words": WORDS,
    "m013_seals": SEALS,
    "m014_intents": _M014_INTENTS,
    "m015_uploads": UPLOADS,
}
