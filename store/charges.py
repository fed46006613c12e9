"""The table `charges`: what jobs were to cost and have cost, for budgets and for the books.

A charge is reserved in the transaction that takes its job in; a trigger on `jobs` settles it where the job ends.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from generation.money import PAYERS, ROUNDING_USD, TEXT_LANE, BudgetScope, Charge
from lazy import dataclass
from store.database import Database, Must, NothingThere, Write

RESERVE: Final = """
    INSERT INTO charges (job_id, user_key, budget_key, guild_id, lane, payer, day, state, reserved_usd, usd)
    VALUES (:job_id, :user_key, :user_key, :guild_id, :lane, :payer, :day, 'reserved', :usd, :usd)
"""
_PERSON: Final = "budget_key = :user_key AND budget_key <> ''"
_PLACE: Final = "guild_id = :guild_id AND guild_id <> ''"
_OF_SCOPE: Final = {
    BudgetScope.EVERYBODY: "true",
    BudgetScope.PERSON: _PERSON,
    BudgetScope.SERVER: _PLACE,
    BudgetScope.HOUSE: _PLACE,
    BudgetScope.ROLE: f"{_PERSON} AND {_PLACE}",
}
_PAYERS: Final = {scope: ", ".join(f"'{payer}'" for payer in sorted(PAYERS[scope])) for scope in BudgetScope}
_USED: Final = {
    scope: (
        f"SELECT coalesce(sum(usd), 0) FROM charges WHERE day = :day AND {condition} "  # noqa: S608  # parts of our own
        f"AND payer IN ({_PAYERS[scope]})"
    )
    for scope, condition in _OF_SCOPE.items()
}
USED: Final = {scope: f"SELECT ({used}) AS usd" for scope, used in _USED.items()}
GUARD: Final = {scope: f"SELECT 1 WHERE ({used}) + :adding <= :most + {ROUNDING_USD}" for scope, used in _USED.items()}
DEAREST: Final = """
    SELECT max(usd / max(1, images)) AS usd FROM (
        SELECT usd, images FROM charges WHERE lane = ? AND state = 'paid' AND reserved_usd <> usd AND day >= ?
        ORDER BY settled_at DESC LIMIT 20
    )
"""
BOOKS: Final = """
    SELECT day, user_key, lane, count(*) AS jobs, sum(images) AS images,
        sum(CASE WHEN state = 'reserved' THEN 0 ELSE usd END) AS cost_usd,
        sum(CASE WHEN state = 'reserved' THEN usd ELSE 0 END) AS reserved_usd,
        sum(CASE WHEN state = 'unsure' THEN usd ELSE 0 END) AS unsure_usd
    FROM charges
    WHERE day >= :since AND (:user_key IS NULL OR user_key = :user_key)
        AND (:guild_id IS NULL OR (guild_id = :guild_id AND payer <> 'user'))
    GROUP BY day, user_key, lane HAVING sum(usd) > 0
    ORDER BY day DESC, sum(usd) DESC, user_key, lane LIMIT :limit
"""
TOTALS: Final = """
    SELECT coalesce(sum(CASE WHEN state = 'reserved' THEN 0 ELSE usd END), 0) AS paid,
        coalesce(sum(CASE WHEN state = 'reserved' THEN usd ELSE 0 END), 0) AS reserved,
        coalesce(sum(CASE WHEN state = 'refunded' THEN reserved_usd ELSE 0 END), 0) AS refunded
    FROM charges WHERE day >= ?
"""
SETTLE: Final = """
    UPDATE charges SET state = :state, usd = :usd, settled_at = :at WHERE job_id = :job_id AND state = 'reserved'
"""
LEFT: Final = f"""
    UPDATE charges SET state = 'unsure', settled_at = ? WHERE state = 'reserved' AND lane LIKE '{TEXT_LANE}%'
"""  # noqa: S608  # a constant of our own
FORGET_KEYS: Final = "UPDATE charges SET budget_key = '' WHERE day < ? AND budget_key <> ''"
LOOKED_BACK: Final = timedelta(days=30)


class OverBudgetThere(NothingThere):
    """A unit of statements would spend more than a budget has left; nothing of it is done."""


@dataclass(frozen=True, kw_only=True)
class BookEntry:
    """The cost of one person's jobs on one engine on one day (UTC, 2026-01-31).

    `reserved_usd` is of jobs that have not ended; `unsure_usd`, a part of `cost_usd`, of those that may have cost.
    """

    day: str
    user_key: str
    lane: str
    jobs: int
    images: int
    cost_usd: float
    reserved_usd: float = 0.0
    unsure_usd: float = 0.0

    @property
    def text_model(self) -> str:
        """Return the text engine's model, where these were answers and no pictures; else empty."""
        return self.lane.removeprefix(TEXT_LANE) if self.lane.startswith(TEXT_LANE) else ""

    @property
    def answers(self) -> int:
        return self.jobs if self.text_model else 0


@dataclass(frozen=True, kw_only=True)
class MoneyTotals:
    """Sums of charges in US dollars."""

    paid: float = 0.0
    reserved: float = 0.0
    refunded: float = 0.0


class ChargeStore:
    """Reads the books; what is written is a part of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserving(self, charge: Charge, day: str) -> Write:
        """Return what reserves the price of a job; it ends where the job does."""
        values = {
            "job_id": charge.job_id,
            "user_key": charge.user_key,
            "guild_id": charge.guild_id,
            "lane": charge.lane,
            "payer": charge.payer,
            "day": day,
            "usd": charge.usd,
        }
        return RESERVE, values

    def guard(self, scope: BudgetScope, place: Mapping[str, str], day: str, adding: float, most: float) -> Write:
        """Return what ends a transaction by `OverBudgetThere` where `adding` is more than a budget has left.

        `place`: the `user_key` and `guild_id` whose spending counts.
        """
        values: dict[str, Any] = {**place, "day": day, "adding": adding, "most": most}
        return Must(GUARD[scope], values, OverBudgetThere)

    async def write(self, writes: Sequence[Write]) -> None:
        """Reserve what is no job's.

        Raises:
            OverBudgetThere: a guard has ended it.
        """
        await self._database.write_all(writes)

    async def settle(self, charge_id: str, state: str, usd: float, now: datetime) -> None:
        """Put what an answer has cost in the place of what was reserved for it; once."""
        await self._database.write(SETTLE, {"job_id": charge_id, "state": state, "usd": usd, "at": now.timestamp()})

    async def settle_left(self, now: datetime) -> None:
        """Take answers that were being asked for when Easel stopped for charged."""
        await self._database.write(LEFT, (now.timestamp(),))

    async def used(self, scope: BudgetScope, place: Mapping[str, str], day: str) -> float:
        """Return what was spent or is reserved of a budget on a day."""
        rows = await self._database.fetch(USED[scope], {**place, "day": day})
        return float(rows[0]["usd"])

    async def dearest(self, lane: str, now: datetime) -> float | None:
        """Return the most that a picture of an engine's last jobs has cost, None where none has."""
        rows = await self._database.fetch(DEAREST, (lane, f"{now - LOOKED_BACK:%Y-%m-%d}"))
        return None if rows[0]["usd"] is None else float(rows[0]["usd"])

    async def books(
        self, since: str, *, user_key: str | None = None, guild_id: str | None = None, limit: int
    ) -> Sequence[BookEntry]:
        """Return each day, person and engine that has cost something: newest day first, dearest first."""
        values = {"since": since, "user_key": user_key, "guild_id": guild_id, "limit": limit}
        return [BookEntry(**dict(row)) for row in await self._database.read(BOOKS, values)]

    async def totals(self, since: str = "") -> MoneyTotals:
        return MoneyTotals(**dict((await self._database.read(TOTALS, (since,)))[0]))

    async def forget_keys(self, before: datetime) -> None:
        """Forget who is who in the budgets of days before then."""
        await self._database.write(FORGET_KEYS, (f"{before:%Y-%m-%d}",))
