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
) WITHOUT ROWID;
