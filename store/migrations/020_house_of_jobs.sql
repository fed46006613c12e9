-- A picture asked for in a direct message or in the studio counts in the server whose rules hold for it.
DROP TRIGGER pictures_used_came;
DROP TRIGGER pictures_used_given_back;
CREATE TRIGGER pictures_used_came AFTER INSERT ON jobs
WHEN NEW.finished_at IS NULL
    AND coalesce(json_extract(NEW.origin, '$.house_id'), json_extract(NEW.origin, '$.guild_id')) IS NOT NULL
BEGIN
INSERT INTO pictures_used (guild_id, user_key, day, pictures)
VALUES (
    coalesce(json_extract(NEW.origin, '$.house_id'), json_extract(NEW.origin, '$.guild_id')), NEW.user_key,
    date(NEW.created_at, 'unixepoch'), max(1, coalesce(json_extract(NEW.request, '$.batch_size'), 1))
)
ON CONFLICT (guild_id, user_key, day) DO UPDATE SET pictures = pictures + excluded.pictures;
END;
CREATE TRIGGER pictures_used_given_back AFTER UPDATE OF status ON jobs
WHEN OLD.status IN ('queued', 'running')
    AND (NEW.status IN ('failed', 'expired') OR (NEW.status = 'cancelled' AND OLD.status = 'queued'))
BEGIN
UPDATE pictures_used
SET pictures = max(0, pictures - max(1, coalesce(json_extract(NEW.request, '$.batch_size'), 1)))
WHERE guild_id = coalesce(json_extract(NEW.origin, '$.house_id'), json_extract(NEW.origin, '$.guild_id'))
    AND user_key = NEW.user_key AND day = date(NEW.created_at, 'unixepoch');
END;
