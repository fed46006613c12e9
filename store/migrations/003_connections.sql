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
) WITHOUT ROWID;
