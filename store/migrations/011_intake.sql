CREATE TABLE intakes (
    id                TEXT PRIMARY KEY,  -- the door's own of the message or press
    door              TEXT NOT NULL,
    said              TEXT NOT NULL,     -- JSON of the order; emptied at the end, as are the origin and the token
    origin            TEXT NOT NULL,
    channel_id        TEXT,
    message_id        TEXT,
    reply_token       TEXT NOT NULL,     -- sealed
    reply_token_until REAL,
    starts            INTEGER NOT NULL,  -- in how many processes it was begun
    created_at        REAL NOT NULL,
    ended_at          REAL
) WITHOUT ROWID;
CREATE INDEX intakes_open ON intakes (door, created_at) WHERE ended_at IS NULL;
CREATE INDEX intakes_ended ON intakes (ended_at) WHERE ended_at IS NOT NULL;
CREATE TRIGGER intakes_forgotten AFTER UPDATE OF ended_at ON intakes WHEN NEW.ended_at IS NOT NULL
BEGIN DELETE FROM intakes WHERE ended_at < NEW.ended_at - 3600; END;
