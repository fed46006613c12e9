-- A program that asks twice under one Idempotency-Key gets one job.
CREATE UNIQUE INDEX jobs_request_key ON jobs (user_key, json_extract(origin, '$.request_key'))
    WHERE json_extract(origin, '$.request_key') IS NOT NULL;
CREATE INDEX jobs_newest ON jobs (created_at, id);
