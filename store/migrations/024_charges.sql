-- The books: what each job that costs money was to cost, and has cost. Written with the job, and corrected by triggers
-- in the statement that ends it, so that nothing is counted twice. Why: docs/decisions/046-money.md
CREATE TABLE charges (
    job_id       TEXT PRIMARY KEY,
    user_key     TEXT NOT NULL,
    budget_key   TEXT NOT NULL,  -- the same, for budgets of the day: also after the person was forgotten, for two days
    guild_id     TEXT NOT NULL,  -- the server whose rules hold for the job; empty: none
    lane         TEXT NOT NULL,
    payer        TEXT NOT NULL,  -- easel, guild, user: who has connected the engine
    day          TEXT NOT NULL,  -- UTC, on which it was asked for: 2026-01-31
    state        TEXT NOT NULL,  -- reserved, paid, unsure (it failed, and may have been charged for), refunded
    reserved_usd REAL NOT NULL,  -- the estimate
    usd          REAL NOT NULL,  -- what counts now
    images       INTEGER NOT NULL DEFAULT 0,
    settled_at   REAL
) WITHOUT ROWID;
CREATE INDEX charges_day ON charges (day, user_key, lane);
CREATE INDEX charges_user ON charges (user_key, day);
CREATE INDEX charges_budget ON charges (budget_key, day) WHERE budget_key <> '';
CREATE INDEX charges_guild ON charges (guild_id, day) WHERE guild_id <> '';

CREATE TRIGGER charges_settled AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') AND OLD.status IN ('queued', 'running')
BEGIN
UPDATE charges SET
    state = CASE
        WHEN NEW.status = 'done' THEN 'paid'
        WHEN coalesce(json_extract(NEW.error, '$.cost_usd'), 0) > 0 THEN 'paid'
        WHEN coalesce(json_extract(NEW.error, '$.may_have_run'), 0) THEN 'unsure'
        WHEN NEW.status = 'cancelled' AND OLD.status = 'running' THEN 'unsure'
        ELSE 'refunded'
    END,
    usd = CASE
        WHEN NEW.status = 'done' AND coalesce(json_extract(NEW.result, '$.cost_usd'), 0) > 0
            THEN json_extract(NEW.result, '$.cost_usd')
        WHEN NEW.status = 'done' AND NEW.lane = lane THEN reserved_usd  -- it does not tell
        WHEN NEW.status = 'done' THEN 0  -- it moved to an engine that costs nothing
        WHEN coalesce(json_extract(NEW.error, '$.cost_usd'), 0) > 0 THEN json_extract(NEW.error, '$.cost_usd')
        WHEN coalesce(json_extract(NEW.error, '$.may_have_run'), 0) THEN reserved_usd
        WHEN NEW.status = 'cancelled' AND OLD.status = 'running' THEN reserved_usd
        ELSE 0
    END,
    images = coalesce(json_array_length(NEW.result, '$.images'), 0),
    lane = NEW.lane,
    settled_at = NEW.finished_at
WHERE job_id = NEW.id AND state = 'reserved';
INSERT OR IGNORE INTO charges (job_id, user_key, budget_key, guild_id, lane, payer, day, state, reserved_usd, usd, images,
    settled_at)
SELECT NEW.id, NEW.user_key, NEW.user_key,
    coalesce(json_extract(NEW.origin, '$.house_id'), json_extract(NEW.origin, '$.guild_id'), ''), NEW.lane, 'easel',
    date(NEW.finished_at, 'unixepoch'), 'paid', 0, json_extract(NEW.result, '$.cost_usd'),
    coalesce(json_array_length(NEW.result, '$.images'), 0), NEW.finished_at
WHERE NEW.status = 'done' AND coalesce(json_extract(NEW.result, '$.cost_usd'), 0) > 0
    AND NOT coalesce(json_extract(NEW.result, '$.from_cache'), 0);
END;

-- What was drawn before there were books; its engines are taken for the owner's.
INSERT INTO charges (job_id, user_key, budget_key, guild_id, lane, payer, day, state, reserved_usd, usd, images,
    settled_at)
SELECT id, user_key, user_key, coalesce(json_extract(origin, '$.house_id'), json_extract(origin, '$.guild_id'), ''),
    lane, 'easel', date(finished_at, 'unixepoch'), 'paid', 0, json_extract(result, '$.cost_usd'),
    coalesce(json_array_length(result, '$.images'), 0), finished_at
FROM jobs
WHERE status = 'done' AND finished_at IS NOT NULL AND coalesce(json_extract(result, '$.cost_usd'), 0) > 0
    AND NOT coalesce(json_extract(result, '$.from_cache'), 0);

-- Rented machines by the day, as far as their price was said; `billed_until` is up to when they are counted.
CREATE TABLE rental_costs (
    day        TEXT NOT NULL,
    lane       TEXT NOT NULL,
    owner_kind TEXT NOT NULL,  -- guild or user
    owner_id   TEXT NOT NULL,
    label      TEXT NOT NULL,
    seconds    REAL NOT NULL,
    usd        REAL NOT NULL,
    PRIMARY KEY (day, lane)
) WITHOUT ROWID;
ALTER TABLE rentals ADD COLUMN billed_until REAL;
