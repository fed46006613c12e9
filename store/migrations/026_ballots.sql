CREATE TABLE ballots (  -- votes on two prompts side by side; a row ends when its message shows the outcome
    id         TEXT PRIMARY KEY,  -- of the comparison
    job_a      TEXT NOT NULL,
    job_b      TEXT NOT NULL,
    hours      REAL NOT NULL,
    opened_at  REAL,
    closes_at  REAL,
    closed_at  REAL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX ballots_closes ON ballots (closes_at) WHERE closes_at IS NOT NULL;
CREATE TABLE votes (
    ballot_id TEXT NOT NULL,
    user_key  TEXT NOT NULL,
    side      TEXT NOT NULL CHECK (side IN ('a', 'b')),
    PRIMARY KEY (ballot_id, user_key)
) WITHOUT ROWID;
CREATE INDEX votes_user ON votes (user_key);
CREATE TRIGGER ballots_gone AFTER DELETE ON ballots
BEGIN
    DELETE FROM votes WHERE ballot_id = OLD.id;
END;
