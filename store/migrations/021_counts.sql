-- Counts of the pictures in the history and sums of each lane, kept as rows change, and indexes for what is looked up:
-- so that a year of pictures is read as fast as a day of them. Why: docs/decisions/036-reading-a-long-history.md
CREATE TABLE picture_counts (
    user_key   TEXT NOT NULL,
    door       TEXT NOT NULL,
    is_private INTEGER NOT NULL,
    model      TEXT NOT NULL,  -- '' where it is not known
    engine     TEXT NOT NULL,
    number     INTEGER NOT NULL,  -- of those that were not deleted
    PRIMARY KEY (user_key, door, is_private, model, engine)
) WITHOUT ROWID;
INSERT INTO picture_counts (user_key, door, is_private, model, engine, number)
SELECT user_key, door, is_private, coalesce(model, ''), engine, count(*) FROM generated_images
WHERE deleted_at IS NULL GROUP BY user_key, door, is_private, coalesce(model, ''), engine;

CREATE TRIGGER generated_images_counted AFTER INSERT ON generated_images WHEN NEW.deleted_at IS NULL
BEGIN
    INSERT INTO picture_counts (user_key, door, is_private, model, engine, number)
    VALUES (NEW.user_key, NEW.door, NEW.is_private, coalesce(NEW.model, ''), NEW.engine, 1)
    ON CONFLICT (user_key, door, is_private, model, engine) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER generated_images_counted_out
AFTER UPDATE OF deleted_at, user_key, door, is_private, model, engine ON generated_images WHEN OLD.deleted_at IS NULL
BEGIN
    UPDATE picture_counts SET number = number - 1
    WHERE user_key = OLD.user_key AND door = OLD.door AND is_private = OLD.is_private
        AND model = coalesce(OLD.model, '') AND engine = OLD.engine;
    DELETE FROM picture_counts
    WHERE user_key = OLD.user_key AND door = OLD.door AND is_private = OLD.is_private
        AND model = coalesce(OLD.model, '') AND engine = OLD.engine AND number <= 0;
    INSERT INTO picture_counts (user_key, door, is_private, model, engine, number)
    SELECT NEW.user_key, NEW.door, NEW.is_private, coalesce(NEW.model, ''), NEW.engine, 1 WHERE NEW.deleted_at IS NULL
    ON CONFLICT (user_key, door, is_private, model, engine) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER generated_images_counted_off AFTER DELETE ON generated_images WHEN OLD.deleted_at IS NULL
BEGIN
    UPDATE picture_counts SET number = number - 1
    WHERE user_key = OLD.user_key AND door = OLD.door AND is_private = OLD.is_private
        AND model = coalesce(OLD.model, '') AND engine = OLD.engine;
    DELETE FROM picture_counts
    WHERE user_key = OLD.user_key AND door = OLD.door AND is_private = OLD.is_private
        AND model = coalesce(OLD.model, '') AND engine = OLD.engine AND number <= 0;
END;

CREATE TABLE lane_totals (  -- sums of image_generation_stats
    lane        TEXT PRIMARY KEY,
    generations INTEGER NOT NULL,
    images      INTEGER NOT NULL,
    from_cache  INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    cancelled   INTEGER NOT NULL,
    expired     INTEGER NOT NULL,
    seconds     REAL NOT NULL,
    cost_usd    REAL NOT NULL
) WITHOUT ROWID;
INSERT INTO lane_totals
SELECT lane, sum(generations), sum(images), sum(from_cache), sum(failed), sum(cancelled), sum(expired), sum(seconds),
    sum(cost_usd)
FROM image_generation_stats GROUP BY lane;
CREATE TRIGGER image_generation_stats_begun AFTER INSERT ON image_generation_stats
BEGIN
    INSERT INTO lane_totals VALUES (NEW.lane, NEW.generations, NEW.images, NEW.from_cache, NEW.failed, NEW.cancelled,
        NEW.expired, NEW.seconds, NEW.cost_usd)
    ON CONFLICT (lane) DO UPDATE SET generations = generations + excluded.generations,
        images = images + excluded.images, from_cache = from_cache + excluded.from_cache,
        failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
        expired = expired + excluded.expired, seconds = seconds + excluded.seconds,
        cost_usd = cost_usd + excluded.cost_usd;
END;
CREATE TRIGGER image_generation_stats_added AFTER UPDATE ON image_generation_stats
BEGIN
    UPDATE lane_totals SET generations = generations - OLD.generations, images = images - OLD.images,
        from_cache = from_cache - OLD.from_cache, failed = failed - OLD.failed, cancelled = cancelled - OLD.cancelled,
        expired = expired - OLD.expired, seconds = seconds - OLD.seconds, cost_usd = cost_usd - OLD.cost_usd
    WHERE lane = OLD.lane;
    DELETE FROM lane_totals
    WHERE lane = OLD.lane AND lane <> NEW.lane AND generations + failed + cancelled + expired = 0;
    INSERT INTO lane_totals VALUES (NEW.lane, NEW.generations, NEW.images, NEW.from_cache, NEW.failed, NEW.cancelled,
        NEW.expired, NEW.seconds, NEW.cost_usd)
    ON CONFLICT (lane) DO UPDATE SET generations = generations + excluded.generations,
        images = images + excluded.images, from_cache = from_cache + excluded.from_cache,
        failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
        expired = expired + excluded.expired, seconds = seconds + excluded.seconds,
        cost_usd = cost_usd + excluded.cost_usd;
END;
CREATE TRIGGER image_generation_stats_gone AFTER DELETE ON image_generation_stats
BEGIN
    UPDATE lane_totals SET generations = generations - OLD.generations, images = images - OLD.images,
        from_cache = from_cache - OLD.from_cache, failed = failed - OLD.failed, cancelled = cancelled - OLD.cancelled,
        expired = expired - OLD.expired, seconds = seconds - OLD.seconds, cost_usd = cost_usd - OLD.cost_usd
    WHERE lane = OLD.lane;
    DELETE FROM lane_totals WHERE lane = OLD.lane AND generations + failed + cancelled + expired = 0;
END;

CREATE INDEX generated_images_created ON generated_images (created_at, lane, from_cache, seconds, job_id);
CREATE INDEX generated_images_model ON generated_images (model COLLATE NOCASE, seq) WHERE deleted_at IS NULL;
CREATE INDEX jobs_failed ON jobs (finished_at) WHERE status = 'failed';
