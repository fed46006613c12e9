CREATE TABLE text_uses (
    day        TEXT NOT NULL,  -- of UTC
    user_key   TEXT NOT NULL,
    model      TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    answered   INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    tokens_in  INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost_usd   REAL NOT NULL,
    PRIMARY KEY (day, user_key, model, purpose)
) WITHOUT ROWID;
CREATE INDEX text_uses_person ON text_uses (user_key);
