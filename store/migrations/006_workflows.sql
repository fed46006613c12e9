CREATE TABLE workflow_versions (
    id      TEXT PRIMARY KEY,  -- sha256 of kind, graph and mapping
    kind    TEXT NOT NULL,     -- of the engines that run it
    graph   TEXT NOT NULL,
    mapping TEXT NOT NULL,
    lines   TEXT NOT NULL,     -- the mapping in words
    used_at REAL               -- when it was last drawn with
);

CREATE TABLE workflows (
    owner_kind TEXT NOT NULL,
    owner_id   TEXT NOT NULL,
    folded     TEXT NOT NULL,  -- the name, whatever its case
    name       TEXT NOT NULL,
    version    TEXT NOT NULL REFERENCES workflow_versions (id),
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (owner_kind, owner_id, folded)
) WITHOUT ROWID;
