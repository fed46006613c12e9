"""Figures over all jobs: the daily ones of `image_generation_stats`, the hours of the last day from `jobs` itself."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from lazy import dataclass
from store.database import Database, Row

COSTS: Final = """
    SELECT day, user_key, lane, generations, images, failed, cost_usd FROM image_generation_stats
    WHERE day >= :since AND (:user_key IS NULL OR user_key = :user_key)
    ORDER BY day DESC, cost_usd DESC, images DESC, user_key, lane LIMIT :limit
"""
SPENT: Final = """
    SELECT coalesce(sum(cost_usd), 0) AS cost_usd FROM image_generation_stats
    WHERE day >= :since AND (:user_key IS NULL OR user_key = :user_key)
"""
_SUMS: Final = """
    coalesce(sum(generations), 0) AS generations, coalesce(sum(images), 0) AS images,
    coalesce(sum(from_cache), 0) AS from_cache, coalesce(sum(failed), 0) AS failed,
    coalesce(sum(cancelled), 0) AS cancelled, coalesce(sum(expired), 0) AS expired,
    coalesce(sum(seconds), 0) AS seconds, coalesce(sum(cost_usd), 0) AS cost_usd
    FROM image_generation_stats WHERE day >= :since AND (:user_key IS NULL OR user_key = :user_key)
"""
TOTALS: Final = f"SELECT {_SUMS}"
ENGINES: Final = f"SELECT lane, {_SUMS} GROUP BY lane ORDER BY lane"
ALL_ENGINES: Final = "SELECT * FROM lane_totals ORDER BY lane"
USERS: Final = "SELECT count(DISTINCT user_key) AS number FROM image_generation_stats WHERE day >= ?"
HOURS: Final = """
    SELECT CAST(finished_at / 3600 AS INTEGER) AS hour, sum(status = 'done') AS generations,
        sum(status = 'failed') AS failed
    FROM jobs WHERE finished_at >= :since AND (:user_key IS NULL OR user_key = :user_key) GROUP BY hour
"""
NEWEST: Final = 10_000  # pictures: more say nothing new of an engine's speed, and take longer to read
P95: Final = """
    SELECT lane, seconds FROM (
        SELECT lane, seconds, row_number() OVER (PARTITION BY lane ORDER BY seconds) AS place,
            count(*) OVER (PARTITION BY lane) AS number
        FROM (
            SELECT lane, max(seconds) AS seconds FROM (
                SELECT lane, seconds, job_id FROM generated_images
                WHERE created_at >= :since AND from_cache = 0 {whose} ORDER BY created_at DESC LIMIT {newest}
            ) GROUP BY job_id
        )
    ) WHERE place = (95 * number + 99) / 100
"""
FAILURES: Final = """
    SELECT coalesce(json_extract(error, '$.code'), 'unknown') AS code, count(*) AS number, max(finished_at) AS last_at,
        coalesce(json_extract(error, '$.user_message'), '') AS example
    FROM jobs INDEXED BY jobs_failed
    WHERE finished_at >= :since AND status = 'failed' AND (:user_key IS NULL OR user_key = :user_key)
    GROUP BY code ORDER BY number DESC, last_at DESC LIMIT :limit
"""  # the example is of the row that has max(finished_at): SQLite promises that
NAMES: Final = """
    SELECT asked.value AS user_key, (
        SELECT user_name FROM generated_images
        WHERE user_key = asked.value AND deleted_at IS NULL AND user_name > '' ORDER BY seq DESC LIMIT 1
    ) AS user_name FROM json_each(?) AS asked WHERE user_name > ''
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Sums over jobs. `seconds` and `cost_usd` are those of the generations; cached ones took and cost nothing."""

    generations: int = 0
    images: int = 0
    from_cache: int = 0  # of the generations
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    seconds: float = 0.0
    cost_usd: float = 0.0

    @property
    def drawn(self) -> int:
        """Generations that an engine did."""
        return self.generations - self.from_cache

    @property
    def success_rate(self) -> float | None:
        """0..1 of what engines ended by themselves; None when they have not."""
        ended = self.drawn + self.failed
        return self.drawn / ended if ended else None

    @property
    def error_rate(self) -> float | None:
        rate = self.success_rate
        return None if rate is None else 1 - rate

    @property
    def mean_seconds(self) -> float | None:
        return self.seconds / self.drawn if self.drawn else None


@dataclass(frozen=True, kw_only=True)
class DailyCost:
    """Use by one person of one engine on one day (UTC, 2026-01-31)."""

    day: str
    user_key: str
    lane: str
    generations: int
    images: int
    failed: int
    cost_usd: float


@dataclass(frozen=True, kw_only=True)
class Hour:
    """The jobs that ended in one hour of the clock, from `start` on."""

    start: datetime
    generations: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The number of failures of a kind, with the latest message."""

    code: str
    number: int
    last_at: datetime
    example: str


class StatisticsStore:
    """Only reads. Days are UTC, `since` included; `user_key` None is everybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def costs(self, since: str, *, user_key: str | None = None, limit: int) -> list[DailyCost]:
        """Return each day, person and engine: newest day first, dearest first."""
        rows = await self._database.read(COSTS, {"since": since, "user_key": user_key, "limit": limit})
        return [DailyCost(**dict(row)) for row in rows]

    async def spent(self, since: str, *, user_key: str | None = None) -> float:
        rows = await self._database.read(SPENT, {"since": since, "user_key": user_key})
        return float(rows[0]["cost_usd"])

    async def totals(self, since: str = "", *, user_key: str | None = None) -> Figures:
        return _figures(await self._database.read(TOTALS, {"since": since, "user_key": user_key}))[0]

    async def engines(self, since: str = "", *, user_key: str | None = None) -> dict[str, Figures]:
        """Return the figures of each lane that has ended a job."""
        if since or user_key:
            rows = await self._database.read(ENGINES, {"since": since, "user_key": user_key})
        else:
            rows = await self._database.read(ALL_ENGINES)
        return dict(zip((row["lane"] for row in rows), _figures(rows), strict=True))

    async def users(self, since: str = "") -> int:
        """Count the people whose jobs ended."""
        return int((await self._database.read(USERS, (since,)))[0]["number"])

    async def p95(self, since: datetime, *, user_key: str | None = None) -> dict[str, float]:
        """Return for each lane the seconds within which 95 of 100 of its jobs were done, of the newest `NEWEST`."""
        sql = P95.format(whose="AND user_key = :user_key" if user_key else "", newest=NEWEST)
        rows = await self._database.read(sql, {"since": since.timestamp(), "user_key": user_key})
        return {row["lane"]: float(row["seconds"]) for row in rows}

    async def failures(self, since: datetime, *, user_key: str | None = None, limit: int) -> list[Failures]:
        """Return what failed by its code, the most frequent first."""
        values = {"since": since.timestamp(), "user_key": user_key, "limit": limit}
        return [
            Failures(
                code=row["code"],
                number=row["number"],
                last_at=datetime.fromtimestamp(row["last_at"], UTC),
                example=row["example"],
            )
            for row in await self._database.read(FAILURES, values)
        ]

    async def names(self, user_keys: Iterable[str]) -> dict[str, str]:
        """Return how people were called the last time, where that is known."""
        rows = await self._database.read(NAMES, (json.dumps(list(user_keys)),))
        return {row["user_key"]: row["user_name"] for row in rows}

    async def hours(self, now: datetime, count: int, *, user_key: str | None = None) -> list[Hour]:
        """Return `count` hours of the clock, oldest first; the last is the present one. Quiet hours are there too."""
        last = int(now.timestamp() // 3600)
        first = last - count + 1
        values = {"since": first * 3600, "user_key": user_key}
        rows = {row["hour"]: row for row in await self._database.read(HOURS, values)}
        return [
            Hour(
                start=datetime.fromtimestamp(number * 3600, UTC),
                generations=rows[number]["generations"] if number in rows else 0,
                failed=rows[number]["failed"] if number in rows else 0,
            )
            for number in range(first, last + 1)
        ]


def _figures(rows: Iterable[Row]) -> list[Figures]:
    return [Figures(**{name: row[name] for name in Figures.__dataclass_fields__}) for row in rows]
