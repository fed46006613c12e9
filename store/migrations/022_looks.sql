CREATE TABLE looks (
    code       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,     -- user_key, or guild:id for a server's own
    name       TEXT NOT NULL COLLATE NOCASE,
    said       TEXT NOT NULL,     -- JSON of the draft that is laid under a request: words, LoRAs, sampler
    palette    TEXT NOT NULL,     -- JSON: #rrggbb, the largest first
    picture    BLOB,              -- a small copy, for people
    is_shared  INTEGER NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX looks_owner ON looks (owner, name);
