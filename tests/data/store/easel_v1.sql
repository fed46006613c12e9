BEGIN TRANSACTION;
CREATE TABLE jobs (
    id                TEXT PRIMARY KEY,
    status            TEXT NOT NULL,
    lane              TEXT NOT NULL,
    door              TEXT NOT NULL,
    user_key          TEXT NOT NULL,
    channel_id        TEXT,
    message_id        TEXT,
    reply_token       TEXT NOT NULL DEFAULT '',  -- sealed
    reply_token_until REAL,
    weight            REAL NOT NULL,
    attempt           INTEGER NOT NULL,
    remote_id         TEXT,
    created_at        REAL NOT NULL,
    not_before        REAL,
    started_at        REAL,
    finished_at       REAL,
    delivered_at      REAL,
    candidates        TEXT NOT NULL,
    tried             TEXT NOT NULL,
    notes             TEXT NOT NULL,
    origin            TEXT NOT NULL,
    request           TEXT NOT NULL,
    drawn             TEXT NOT NULL,
    result            TEXT,
    error             TEXT
);
INSERT INTO "jobs" VALUES('0123456789ab','queued','gpu1','discord','discord:1001','2001','4001','gAAAAABrAYEJLamQFgAyfl3f1d8QPyACrGwBJYW3Z_wNULGJQjM5iFwLpZtHYlkdc6CdXSavsXL8mnynHzQMARmN_jbbzPYW2pGF-yeIIuK48OOWXCMmvMI=',1767226440.0,1.0,1,NULL,1767225600.0,NULL,NULL,NULL,NULL,'["gpu1", "grid"]','[]','[]','{"door": "discord", "user_id": "1001", "user_name": "Mia", "guild_id": "3001", "source_message_id": null, "private": false, "parent_job_id": null}','{"prompt": "a red fox in the snow", "width": 768, "height": 512, "steps": 30, "cfg_scale": 7.0, "seed": 812, "mode": "txt2img", "negative_prompt": "", "loras": [["ink", 0.5]], "batch_size": 1}','{"prompt": "a red fox in the snow", "width": 768, "height": 512, "steps": 30, "cfg_scale": 7.0, "seed": 812, "mode": "txt2img", "negative_prompt": "", "loras": [["ink", 0.5]], "batch_size": 1}',NULL,NULL);
INSERT INTO "jobs" VALUES('ba9876543210','done','gpu1','api','api:1002',NULL,NULL,'',NULL,1.0,1,NULL,1767222000.0,NULL,1767225600.0,1767225600.0,NULL,'["gpu1"]','[]','[]','{"door": "api", "user_id": "1002", "user_name": "", "guild_id": null, "source_message_id": null, "private": false, "parent_job_id": null}','{"prompt": "a red fox in the snow", "width": 768, "height": 512, "steps": 30, "cfg_scale": 7.0, "seed": 812, "mode": "txt2img", "negative_prompt": "", "loras": [["ink", 0.5]], "batch_size": 1}','{"prompt": "a red fox in the snow", "width": 768, "height": 512, "steps": 30, "cfg_scale": 7.0, "seed": 812, "mode": "txt2img", "negative_prompt": "", "loras": [["ink", 0.5]], "batch_size": 1}','{"images": [{"media_id": "Zm94LWluLXRoZS1zbm93LTAx", "seed": 812, "width": 768, "height": 512, "media_type": "image/png", "size_bytes": 81234}], "backend": "gpu-box", "seconds": 11.5, "model": null, "cost_usd": 0.0, "notes": [], "from_cache": false, "expires_at": 1767312000.0}',NULL);
CREATE TABLE lane_pace (
    lane             TEXT NOT NULL,
    model            TEXT NOT NULL,
    seconds_per_cost REAL NOT NULL,
    samples          INTEGER NOT NULL,
    PRIMARY KEY (lane, model)
) WITHOUT ROWID
;
INSERT INTO "lane_pace" VALUES('gpu1','',0.4,12);
CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at REAL NOT NULL);
INSERT INTO "migrations" VALUES('m001_jobs',1795260681.0);
CREATE INDEX jobs_active ON jobs (created_at, id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_active_user ON jobs (user_key, created_at, id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_undelivered ON jobs (door, finished_at, id) WHERE finished_at IS NOT NULL AND delivered_at IS NULL;
CREATE INDEX jobs_message ON jobs (message_id, created_at) WHERE message_id IS NOT NULL;
CREATE INDEX jobs_user ON jobs (user_key, created_at, id);
CREATE INDEX jobs_status ON jobs (status);
COMMIT;
