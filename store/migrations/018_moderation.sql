-- What moderators and admins do, and what it rests on. Times are UTC epoch seconds; an empty guild_id is Easel as a whole.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    at          REAL NOT NULL,
    guild_id    TEXT NOT NULL,
    channel_id  TEXT NOT NULL,
    actor       TEXT NOT NULL,  -- who did it, "discord:ID"
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,
    target      TEXT NOT NULL,  -- on whom, "discord:ID"; empty: nobody
    target_name TEXT NOT NULL,
    subject     TEXT NOT NULL,  -- on what: a job, an engine, a role
    reason      TEXT NOT NULL,
    details     TEXT NOT NULL   -- what it was before and is now, in words
);
CREATE INDEX audit_guild ON audit (guild_id, seq);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_target ON audit (target);

CREATE TABLE bans (
    guild_id    TEXT NOT NULL,
    user_key    TEXT NOT NULL,
    user_name   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    created_at  REAL NOT NULL,
    ends_at     REAL,           -- NULL: until it is lifted
    PRIMARY KEY (guild_id, user_key)
) WITHOUT ROWID;
CREATE INDEX bans_user ON bans (user_key);

CREATE TABLE caps (
    guild_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,  -- role or channel
    target_id   TEXT NOT NULL,  -- of that role or channel; the role everybody has bears the server's own id
    limits      TEXT NOT NULL,  -- JSON
    PRIMARY KEY (guild_id, kind, target_id)
) WITHOUT ROWID;

-- Pictures of a day in UTC, kept up by the table jobs itself: what is taken in counts, what fails is given back.
CREATE TABLE pictures_used (
    guild_id    TEXT NOT NULL,
    user_key    TEXT NOT NULL,
    day         TEXT NOT NULL,  -- 2026-01-31
    pictures    INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_key, day)
) WITHOUT ROWID;
CREATE INDEX pictures_used_day ON pictures_used (day);
CREATE TRIGGER pictures_used_came AFTER INSERT ON jobs
WHEN NEW.finished_at IS NULL AND json_extract(NEW.origin, '$.guild_id') IS NOT NULL
BEGIN
INSERT INTO pictures_used (guild_id, user_key, day, pictures)
VALUES (
    json_extract(NEW.origin, '$.guild_id'), NEW.user_key, date(NEW.created_at, 'unixepoch'),
    max(1, coalesce(json_extract(NEW.request, '$.batch_size'), 1))
)
ON CONFLICT (guild_id, user_key, day) DO UPDATE SET pictures = pictures + excluded.pictures;
END;
CREATE TRIGGER pictures_used_given_back AFTER UPDATE OF status ON jobs
WHEN OLD.status IN ('queued', 'running')
    AND (NEW.status IN ('failed', 'expired') OR (NEW.status = 'cancelled' AND OLD.status = 'queued'))
BEGIN
UPDATE pictures_used
SET pictures = max(0, pictures - max(1, coalesce(json_extract(NEW.request, '$.batch_size'), 1)))
WHERE guild_id = json_extract(NEW.origin, '$.guild_id') AND user_key = NEW.user_key
    AND day = date(NEW.created_at, 'unixepoch');
END;

CREATE TABLE reports (
    id              TEXT PRIMARY KEY,
    guild_id        TEXT NOT NULL,
    channel_id      TEXT NOT NULL,  -- where the picture stands
    message_id      TEXT NOT NULL,
    job_id          TEXT NOT NULL UNIQUE,
    owner           TEXT NOT NULL,
    owner_name      TEXT NOT NULL,
    created_at      REAL NOT NULL,
    state           TEXT NOT NULL,  -- open, removed, warned, banned, dismissed
    decided_by      TEXT NOT NULL DEFAULT '',
    decided_by_name TEXT NOT NULL DEFAULT '',
    decided_at      REAL,
    appeal          TEXT NOT NULL DEFAULT '',
    appealed_at     REAL,
    appeal_state    TEXT NOT NULL DEFAULT '',  -- open, granted, refused
    card_channel_id TEXT NOT NULL DEFAULT '',  -- the moderators' message
    card_message_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX reports_owner ON reports (guild_id, owner);
CREATE TABLE report_reasons (
    report_id     TEXT NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    reporter      TEXT NOT NULL,
    reporter_name TEXT NOT NULL,
    reason        TEXT NOT NULL,
    created_at    REAL NOT NULL,
    PRIMARY KEY (report_id, reporter)
) WITHOUT ROWID;

-- What people and moderators are still to be told: written with what it tells of, deleted once it was.
CREATE TABLE notices (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    guild_id   TEXT NOT NULL,
    user_key   TEXT NOT NULL,  -- to whom; empty: to a channel
    channel_id TEXT NOT NULL,
    subject    TEXT NOT NULL,  -- the report it is about
    details    TEXT NOT NULL,  -- JSON
    created_at REAL NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    due_at     REAL NOT NULL
);
CREATE INDEX notices_due ON notices (due_at, seq);

CREATE TABLE engine_holds (
    lane       TEXT PRIMARY KEY,
    hold       TEXT NOT NULL,  -- paused or drained
    actor_name TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
