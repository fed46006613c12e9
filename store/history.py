"""Files from before the steps were numbered in order and hashed: what their steps were called, and what differed.

Two steps were called m005, m008 ran before m007, and five steps were edited in the hours after they were written, so
files exist that hold their first form. All of this is history: nothing is added here.
"""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

OLD_NAMES: Final = {
    "m001_jobs": "001_jobs",
    "m002_preferences": "002_preferences",
    "m003_connections": "003_connections",
    "m004_engines": "004_engines",
    "m005_patience": "005_patience",
    "m005_workflows": "006_workflows",
    "m006_gallery": "007_gallery",
    "m008_request_keys": "008_request_keys",
    "m007_access": "009_access",
    "m009_machines": "010_machines",
    "m010_intake": "011_intake",
    "m011_outbox": "012_outbox",
    "m012_words": "013_words",
    "m013_seals": "014_seals",
    "m014_intents": "015_intents",
    "m015_uploads": "016_uploads",
    "m001_media": "001_media",  # of the pictures' file
}

# What the first form of a step, by its hash, lacks: triggers of today's form.
_FIRST_FORMS: Final = {
    ("018_moderation", "ae9d74dfca7583ebaf5435a5867eb9767d8a7d201ff0979af5fbacbfdf0df499"): (),  # another comment
    (
        "021_counts",
        "c80938abcb4d1540ab7f5c724eca7149481b215ebbde5163e4bf1343123178b5",
    ): ("generated_images_counted_off", "image_generation_stats_gone"),
}

# 028 had renamed the column that is kept now, so that the version before goes on.
_RENAMED: Final = ("028_priority", "7353202e358d842a25f14a503a29d97a058fce148333973e17053bc158b70d87")

Run = Callable[..., Awaitable[list[sqlite3.Row]]]

_NAMES: Final = "SELECT name FROM migrations"
_HASHES: Final = "SELECT name FROM pragma_table_info('migrations') WHERE name = 'sha256'"
_ADD_HASHES: Final = "ALTER TABLE migrations ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''"
_RENAME: Final = "UPDATE migrations SET name = ?, sha256 = ? WHERE name = ?"

_NEWEST: Final = "CREATE INDEX IF NOT EXISTS jobs_newest ON jobs (created_at, id)"
_SQL_OF_DELIVERIES: Final = "SELECT sql FROM sqlite_master WHERE name = 'webhook_deliveries'"
_DELIVERIES_WITH_ROWS: Final = (
    "ALTER TABLE webhook_deliveries RENAME TO first_deliveries",
    """
    CREATE TABLE webhook_deliveries (
        id         TEXT PRIMARY KEY,
        hook_id    TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
        job_id     TEXT NOT NULL,
        event      TEXT NOT NULL,
        body       TEXT NOT NULL,
        failures   INTEGER NOT NULL,
        created_at REAL NOT NULL,
        due_at     REAL,
        answer     TEXT NOT NULL,
        UNIQUE (hook_id, job_id, event)
    )
    """,
    "INSERT INTO webhook_deliveries SELECT * FROM first_deliveries ORDER BY created_at, id",
    "DROP TABLE first_deliveries",
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE due_at IS NOT NULL",
)


async def is_history(run: Run) -> bool:
    """Look whether a file is from before the steps had hashes."""
    return not await run(_HASHES)


async def adopt(run: Run, hashes: Mapping[str, str]) -> None:
    """Give the steps that a file has the names and hashes of today, unless another process just did.

    Args:
        run: one statement inside an open transaction; returns its rows.
        hashes: of today's steps by their names.
    """
    if not await is_history(run):
        return
    await run(_ADD_HASHES)
    applied = [row["name"] for row in await run(_NAMES)]
    for old in applied:
        new = OLD_NAMES[old]
        await run(_RENAME, (new, hashes[new], old))
    await _mend(run, {OLD_NAMES[old] for old in applied})


def is_first_form(name: str, hashed: str) -> bool:
    """Return whether a file has the first form of a step."""
    return (name, hashed) in _FIRST_FORMS or (name, hashed) == _RENAMED


async def mend_first_form(run: Run, name: str, hashed: str, script: str, today: str) -> None:
    """Make of the first form of a step its form of today, inside an open transaction."""
    if (name, hashed) == _RENAMED:
        await run("ALTER TABLE jobs ADD COLUMN is_urgent INTEGER")
    for trigger in _FIRST_FORMS.get((name, hashed), ()):
        found = re.search(rf"CREATE TRIGGER {trigger} .*?^END;", script, re.DOTALL | re.MULTILINE)
        assert found, "a step is frozen"
        await run(found[0])
    await run("UPDATE migrations SET sha256 = ? WHERE name = ?", (today, name))


async def _mend(run: Run, applied: set[str]) -> None:
    """Make of the first form of two steps what they became."""
    if "008_request_keys" in applied:
        await run(_NEWEST)
    if any("WITHOUT ROWID" in row["sql"] for row in await run(_SQL_OF_DELIVERIES)):
        for statement in _DELIVERIES_WITH_ROWS:
            await run(statement)
