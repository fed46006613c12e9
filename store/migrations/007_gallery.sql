-- The gallery, kept up by the table jobs itself: triggers write the pictures and the daily figures in the statement
-- that ends a job. The same SELECTs fill the tables with what ended before. A job's pictures go in last first, so that
-- newest-first shows them 1, 2, 3.
CREATE TABLE generated_images (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of the history; a page ends at one
    id              TEXT NOT NULL UNIQUE,               -- the job's id and the picture's number
    media_id        TEXT NOT NULL,                      -- answers from the cache share one
    job_id          TEXT NOT NULL,
    user_key        TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    door            TEXT NOT NULL,
    prompt          TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    mode            TEXT NOT NULL,
    model           TEXT,
    engine          TEXT NOT NULL,
    lane            TEXT NOT NULL,
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    steps           INTEGER NOT NULL,
    cfg_scale       REAL NOT NULL,
    seed            INTEGER NOT NULL,
    sampler         TEXT,
    scheduler       TEXT,
    media_type      TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    seconds         REAL NOT NULL,  -- of the whole job
    cost_usd        REAL NOT NULL,  -- this picture's share
    is_private      INTEGER NOT NULL,
    from_cache      INTEGER NOT NULL,
    created_at      REAL NOT NULL,
    expires_at      REAL NOT NULL,  -- unless it is a favourite or in a collection
    deleted_at      REAL
);
CREATE INDEX generated_images_user ON generated_images (user_key, seq) WHERE deleted_at IS NULL;
CREATE INDEX generated_images_media ON generated_images (media_id);
CREATE INDEX generated_images_job ON generated_images (job_id);

CREATE TABLE image_favorites (
    user_key   TEXT NOT NULL,
    image_id   TEXT NOT NULL REFERENCES generated_images (id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    PRIMARY KEY (user_key, image_id)
) WITHOUT ROWID;
CREATE INDEX image_favorites_image ON image_favorites (image_id);

CREATE TABLE prompt_templates (
    id              TEXT PRIMARY KEY,
    user_key        TEXT NOT NULL,
    name            TEXT NOT NULL,
    prompt          TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    description     TEXT NOT NULL,
    is_shared       INTEGER NOT NULL,
    usage_count     INTEGER NOT NULL DEFAULT 0,
    created_at      REAL NOT NULL,
    updated_at      REAL NOT NULL,
    last_used_at    REAL,
    UNIQUE (user_key, name)
) WITHOUT ROWID;

CREATE TABLE image_collections (
    id          TEXT PRIMARY KEY,
    user_key    TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  REAL NOT NULL,
    updated_at  REAL NOT NULL,
    UNIQUE (user_key, name)
) WITHOUT ROWID;

CREATE TABLE collection_images (
    collection_id TEXT NOT NULL REFERENCES image_collections (id) ON DELETE CASCADE,
    image_id      TEXT NOT NULL REFERENCES generated_images (id) ON DELETE CASCADE,
    added_at      REAL NOT NULL,
    PRIMARY KEY (collection_id, image_id)
) WITHOUT ROWID;
CREATE INDEX collection_images_image ON collection_images (image_id);

CREATE TABLE image_generation_stats (
    day         TEXT NOT NULL,  -- UTC, 2026-01-31
    user_key    TEXT NOT NULL,
    lane        TEXT NOT NULL,
    generations INTEGER NOT NULL,  -- jobs done
    images      INTEGER NOT NULL,
    from_cache  INTEGER NOT NULL,  -- of the generations
    failed      INTEGER NOT NULL,
    cancelled   INTEGER NOT NULL,
    expired     INTEGER NOT NULL,
    seconds     REAL NOT NULL,
    cost_usd    REAL NOT NULL,
    PRIMARY KEY (day, user_key, lane)
) WITHOUT ROWID;
CREATE INDEX image_generation_stats_user ON image_generation_stats (user_key, day);
CREATE INDEX jobs_finished ON jobs (finished_at, status) WHERE finished_at IS NOT NULL;

CREATE TRIGGER generated_images_deleted AFTER UPDATE OF deleted_at ON generated_images WHEN NEW.deleted_at IS NOT NULL
BEGIN
    DELETE FROM image_favorites WHERE image_id = NEW.id;
    DELETE FROM collection_images WHERE image_id = NEW.id;
END;

INSERT INTO generated_images (id, media_id, job_id, user_key, user_name, door, prompt, negative_prompt, mode, model,
    engine, lane, width, height, steps, cfg_scale, seed, sampler, scheduler, media_type, size_bytes, seconds, cost_usd,
    is_private, from_cache, created_at, expires_at)
SELECT j.id || '-' || (i.key + 1), json_extract(i.value, '$.media_id'), j.id, j.user_key,
    coalesce(json_extract(j.origin, '$.user_name'), ''), j.door,
    coalesce(json_extract(j.request, '$.prompt'), ''), coalesce(json_extract(j.request, '$.negative_prompt'), ''),
    coalesce(json_extract(j.drawn, '$.mode'), 'txt2img'),
    coalesce(json_extract(j.result, '$.model'), json_extract(j.drawn, '$.model')),
    coalesce(json_extract(j.result, '$.backend'), j.lane), j.lane,
    coalesce(json_extract(i.value, '$.width'), 0), coalesce(json_extract(i.value, '$.height'), 0),
    coalesce(json_extract(j.drawn, '$.steps'), 0), coalesce(json_extract(j.drawn, '$.cfg_scale'), 0),
    coalesce(json_extract(i.value, '$.seed'), 0),
    json_extract(j.drawn, '$.sampler'), json_extract(j.drawn, '$.scheduler'),
    coalesce(json_extract(i.value, '$.media_type'), ''), coalesce(json_extract(i.value, '$.size_bytes'), 0),
    coalesce(json_extract(j.result, '$.seconds'), 0),
    coalesce(json_extract(j.result, '$.cost_usd'), 0) / json_array_length(j.result, '$.images'),
    coalesce(json_extract(j.origin, '$.private'), 0), coalesce(json_extract(j.result, '$.from_cache'), 0),
    coalesce(j.finished_at, j.created_at), coalesce(json_extract(j.result, '$.expires_at'), 0)
FROM jobs AS j, json_each(j.result, '$.images') AS i
WHERE j.finished_at IS NOT NULL AND j.status = 'done'
ORDER BY j.finished_at, j.id, i.key DESC;

INSERT INTO image_generation_stats (day, user_key, lane, generations, images, from_cache, failed, cancelled, expired,
    seconds, cost_usd)
SELECT date(coalesce(j.finished_at, j.created_at), 'unixepoch'), j.user_key, j.lane, j.status = 'done',
    coalesce(json_array_length(j.result, '$.images'), 0),
    j.status = 'done' AND coalesce(json_extract(j.result, '$.from_cache'), 0),
    j.status = 'failed', j.status = 'cancelled', j.status = 'expired',
    coalesce(json_extract(j.result, '$.seconds'), 0), coalesce(json_extract(j.result, '$.cost_usd'), 0)
FROM jobs AS j
WHERE j.finished_at IS NOT NULL AND j.status NOT IN ('queued', 'running')
ON CONFLICT (day, user_key, lane) DO UPDATE SET generations = generations + excluded.generations,
    images = images + excluded.images, from_cache = from_cache + excluded.from_cache,
    failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
    expired = expired + excluded.expired, seconds = seconds + excluded.seconds, cost_usd = cost_usd + excluded.cost_usd;

CREATE TRIGGER jobs_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') AND OLD.status IN ('queued', 'running')
BEGIN
INSERT INTO generated_images (id, media_id, job_id, user_key, user_name, door, prompt, negative_prompt, mode, model,
    engine, lane, width, height, steps, cfg_scale, seed, sampler, scheduler, media_type, size_bytes, seconds, cost_usd,
    is_private, from_cache, created_at, expires_at)
SELECT j.id || '-' || (i.key + 1), json_extract(i.value, '$.media_id'), j.id, j.user_key,
    coalesce(json_extract(j.origin, '$.user_name'), ''), j.door,
    coalesce(json_extract(j.request, '$.prompt'), ''), coalesce(json_extract(j.request, '$.negative_prompt'), ''),
    coalesce(json_extract(j.drawn, '$.mode'), 'txt2img'),
    coalesce(json_extract(j.result, '$.model'), json_extract(j.drawn, '$.model')),
    coalesce(json_extract(j.result, '$.backend'), j.lane), j.lane,
    coalesce(json_extract(i.value, '$.width'), 0), coalesce(json_extract(i.value, '$.height'), 0),
    coalesce(json_extract(j.drawn, '$.steps'), 0), coalesce(json_extract(j.drawn, '$.cfg_scale'), 0),
    coalesce(json_extract(i.value, '$.seed'), 0),
    json_extract(j.drawn, '$.sampler'), json_extract(j.drawn, '$.scheduler'),
    coalesce(json_extract(i.value, '$.media_type'), ''), coalesce(json_extract(i.value, '$.size_bytes'), 0),
    coalesce(json_extract(j.result, '$.seconds'), 0),
    coalesce(json_extract(j.result, '$.cost_usd'), 0) / json_array_length(j.result, '$.images'),
    coalesce(json_extract(j.origin, '$.private'), 0), coalesce(json_extract(j.result, '$.from_cache'), 0),
    coalesce(j.finished_at, j.created_at), coalesce(json_extract(j.result, '$.expires_at'), 0)
FROM jobs AS j, json_each(j.result, '$.images') AS i
WHERE j.id = NEW.id AND j.status = 'done'
ORDER BY j.finished_at, j.id, i.key DESC;

INSERT INTO image_generation_stats (day, user_key, lane, generations, images, from_cache, failed, cancelled, expired,
    seconds, cost_usd)
SELECT date(coalesce(j.finished_at, j.created_at), 'unixepoch'), j.user_key, j.lane, j.status = 'done',
    coalesce(json_array_length(j.result, '$.images'), 0),
    j.status = 'done' AND coalesce(json_extract(j.result, '$.from_cache'), 0),
    j.status = 'failed', j.status = 'cancelled', j.status = 'expired',
    coalesce(json_extract(j.result, '$.seconds'), 0), coalesce(json_extract(j.result, '$.cost_usd'), 0)
FROM jobs AS j
WHERE j.id = NEW.id AND j.status NOT IN ('queued', 'running')
ON CONFLICT (day, user_key, lane) DO UPDATE SET generations = generations + excluded.generations,
    images = images + excluded.images, from_cache = from_cache + excluded.from_cache,
    failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
    expired = expired + excluded.expired, seconds = seconds + excluded.seconds, cost_usd = cost_usd + excluded.cost_usd;
END;
CREATE TRIGGER jobs_came_ended AFTER INSERT ON jobs WHEN NEW.status NOT IN ('queued', 'running')
BEGIN
INSERT INTO generated_images (id, media_id, job_id, user_key, user_name, door, prompt, negative_prompt, mode, model,
    engine, lane, width, height, steps, cfg_scale, seed, sampler, scheduler, media_type, size_bytes, seconds, cost_usd,
    is_private, from_cache, created_at, expires_at)
SELECT j.id || '-' || (i.key + 1), json_extract(i.value, '$.media_id'), j.id, j.user_key,
    coalesce(json_extract(j.origin, '$.user_name'), ''), j.door,
    coalesce(json_extract(j.request, '$.prompt'), ''), coalesce(json_extract(j.request, '$.negative_prompt'), ''),
    coalesce(json_extract(j.drawn, '$.mode'), 'txt2img'),
    coalesce(json_extract(j.result, '$.model'), json_extract(j.drawn, '$.model')),
    coalesce(json_extract(j.result, '$.backend'), j.lane), j.lane,
    coalesce(json_extract(i.value, '$.width'), 0), coalesce(json_extract(i.value, '$.height'), 0),
    coalesce(json_extract(j.drawn, '$.steps'), 0), coalesce(json_extract(j.drawn, '$.cfg_scale'), 0),
    coalesce(json_extract(i.value, '$.seed'), 0),
    json_extract(j.drawn, '$.sampler'), json_extract(j.drawn, '$.scheduler'),
    coalesce(json_extract(i.value, '$.media_type'), ''), coalesce(json_extract(i.value, '$.size_bytes'), 0),
    coalesce(json_extract(j.result, '$.seconds'), 0),
    coalesce(json_extract(j.result, '$.cost_usd'), 0) / json_array_length(j.result, '$.images'),
    coalesce(json_extract(j.origin, '$.private'), 0), coalesce(json_extract(j.result, '$.from_cache'), 0),
    coalesce(j.finished_at, j.created_at), coalesce(json_extract(j.result, '$.expires_at'), 0)
FROM jobs AS j, json_each(j.result, '$.images') AS i
WHERE j.id = NEW.id AND j.status = 'done'
ORDER BY j.finished_at, j.id, i.key DESC;

INSERT INTO image_generation_stats (day, user_key, lane, generations, images, from_cache, failed, cancelled, expired,
    seconds, cost_usd)
SELECT date(coalesce(j.finished_at, j.created_at), 'unixepoch'), j.user_key, j.lane, j.status = 'done',
    coalesce(json_array_length(j.result, '$.images'), 0),
    j.status = 'done' AND coalesce(json_extract(j.result, '$.from_cache'), 0),
    j.status = 'failed', j.status = 'cancelled', j.status = 'expired',
    coalesce(json_extract(j.result, '$.seconds'), 0), coalesce(json_extract(j.result, '$.cost_usd'), 0)
FROM jobs AS j
WHERE j.id = NEW.id AND j.status NOT IN ('queued', 'running')
ON CONFLICT (day, user_key, lane) DO UPDATE SET generations = generations + excluded.generations,
    images = images + excluded.images, from_cache = from_cache + excluded.from_cache,
    failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
    expired = expired + excluded.expired, seconds = seconds + excluded.seconds, cost_usd = cost_usd + excluded.cost_usd;
END;

CREATE VIEW user_generation_summary AS
SELECT user_key, sum(generations) AS generations, sum(images) AS images, sum(failed) AS failed,
    sum(cost_usd) AS total_cost_usd, sum(seconds) / nullif(sum(generations - from_cache), 0) AS mean_seconds,
    min(day) AS first_day, max(day) AS last_day
FROM image_generation_stats GROUP BY user_key;

CREATE VIEW provider_performance AS
SELECT lane AS provider, sum(generations) AS generations, sum(images) AS images, sum(from_cache) AS from_cache,
    sum(failed) AS failed, sum(cancelled) AS cancelled, sum(expired) AS expired,
    1.0 * sum(generations - from_cache) / nullif(sum(generations - from_cache + failed), 0) AS success_rate,
    sum(seconds) AS seconds, sum(seconds) / nullif(sum(generations - from_cache), 0) AS mean_seconds,
    sum(cost_usd) AS total_cost_usd
FROM image_generation_stats GROUP BY lane;

CREATE VIEW popular_prompt_templates AS
SELECT * FROM prompt_templates WHERE is_shared ORDER BY usage_count DESC, last_used_at DESC, id;

CREATE VIEW recent_generations AS
SELECT g.*, EXISTS (SELECT 1 FROM image_favorites AS f WHERE f.image_id = g.id AND f.user_key = g.user_key)
    AS is_favorite, (SELECT count(*) FROM image_favorites AS f WHERE f.image_id = g.id) AS favorites
FROM generated_images AS g WHERE g.deleted_at IS NULL ORDER BY g.seq DESC;
