"""Takes finished jobs out of the store when their time is over: the row, and its entries in the history.

Figures (of days, engines, costs, budgets) stay. What somebody keeps, what a report is open about and what the message
bus is still to be told of stays too.
"""

import json
from datetime import datetime
from typing import Final

from store.database import Database
from store.job_rows import to_epoch
from store.words import DROP_BALLOTS, DROP_COMPARISONS, KEPT

BATCH: Final = 100  # jobs in one commit: what is deleted is overwritten, and others get their turn in between
PAST: Final = f"""
    SELECT j.id, j.finished_at FROM jobs AS j INDEXED BY jobs_finished
    WHERE j.finished_at IS NOT NULL AND j.finished_at > :after AND j.finished_at <= :before
        AND NOT {KEPT}
        AND NOT EXISTS (
            SELECT 1 FROM reports AS r WHERE r.job_id = j.id AND (r.state = 'open' OR r.appeal_state = 'open'))
        AND NOT EXISTS (SELECT 1 FROM bus_outbox AS o WHERE o.job_id = j.id)
    ORDER BY j.finished_at LIMIT :limit
"""  # noqa: S608  # parts of our own
_IDS: Final = "(SELECT value FROM json_each(:ids))"
DROP_PICTURES: Final = f"DELETE FROM generated_images WHERE job_id IN {_IDS}"  # noqa: S608
DROP_JOBS: Final = f"DELETE FROM jobs WHERE id IN {_IDS}"  # noqa: S608


class RetentionStore:
    """Each batch is one commit; a crash leaves the rest to the next time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drop_jobs(self, *, before: datetime, now: datetime) -> int:
        """Delete what has ended before then, batch by batch; return how many jobs."""
        dropped, after = 0, 0.0
        while True:
            span = {"after": after, "before": to_epoch(before), "now": to_epoch(now), "limit": BATCH}
            rows = await self._database.read(PAST, span)
            if not rows:
                return dropped
            ids = {"ids": json.dumps([row["id"] for row in rows])}
            await self._database.write_all(
                [(sql, ids) for sql in (DROP_COMPARISONS, DROP_BALLOTS, DROP_PICTURES, DROP_JOBS)]
            )
            dropped += len(rows)
            after = rows[-1]["finished_at"]  # what ended at that very moment is left to the next time

    async def give_space_back(self) -> None:
        await self._database.shrink()
