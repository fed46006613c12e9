ALTER TABLE jobs ADD COLUMN words_gone_at REAL;
CREATE INDEX jobs_words ON jobs (finished_at) WHERE finished_at IS NOT NULL AND words_gone_at IS NULL;
CREATE INDEX jobs_private_words ON jobs (finished_at)
    WHERE finished_at IS NOT NULL AND words_gone_at IS NULL AND json_extract(origin, '$.private') = 1;
