CREATE TABLE uploads (
    user_key   TEXT NOT NULL,
    hour       INTEGER NOT NULL,  -- since 1970
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (user_key, hour)
) WITHOUT ROWID;
CREATE INDEX uploads_hour ON uploads (hour);
