CREATE TABLE questions (
    id         TEXT PRIMARY KEY,  -- the door's own of the message or press
    user_key   TEXT NOT NULL,
    said       TEXT NOT NULL,     -- JSON of the order
    is_private INTEGER NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX questions_user ON questions (user_key);
