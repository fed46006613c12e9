CREATE TABLE preferences (
    scope TEXT PRIMARY KEY,  -- user:ID, guild:ID, channel:ID
    draft TEXT NOT NULL
) WITHOUT ROWID;
