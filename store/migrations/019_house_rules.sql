-- What a Discord server's managers have set with /setup. A server without a row has the defaults of `generation.house`.
CREATE TABLE house_rules (
    guild_id   TEXT PRIMARY KEY,
    rules      TEXT NOT NULL,  -- JSON of `HouseRules`, only what differs from the defaults
    changed_by TEXT NOT NULL,  -- the person's key
    changed_at REAL NOT NULL
) WITHOUT ROWID;
