"""The table `text_uses`: questions to the text engine and their cost, by day, person, model and purpose. No words."""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from lazy import dataclass
from store.database import Database

ADD: Final = """
    INSERT INTO text_uses (day, user_key, model, purpose, answered, failed, tokens_in, tokens_out, cost_usd)
    VALUES (:day, :user_key, :model, :purpose, :answered, :failed, :tokens_in, :tokens_out, :cost_usd)
    ON CONFLICT (day, user_key, model, purpose) DO UPDATE SET
        answered = answered + excluded.answered, failed = failed + excluded.failed,
        tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out,
        cost_usd = cost_usd + excluded.cost_usd
"""
TOTALS: Final = """
    SELECT model, purpose, sum(answered) AS answered, sum(failed) AS failed, sum(tokens_in) AS tokens_in,
        sum(tokens_out) AS tokens_out, sum(cost_usd) AS cost_usd
    FROM text_uses WHERE day >= :since AND (:user_key = '' OR user_key = :user_key)
    GROUP BY model, purpose ORDER BY model, purpose
"""


@dataclass(frozen=True, kw_only=True)
class TextUse:
    """Questions of one purpose to one model, and what they took."""

    model: str
    purpose: str
    answered: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0


class TextUseStore:
    """Single statements, each one commit; days are of UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, use: TextUse, user_key: str, now: datetime) -> None:
        await self._database.write(ADD, asdict(use) | {"user_key": user_key, "day": f"{now:%Y-%m-%d}"})

    async def totals(self, *, since: str = "", user_key: str = "") -> list[TextUse]:
        """Return the sums since a day like 2026-11-29 (empty: ever), of one person or of all."""
        rows = await self._database.fetch(TOTALS, {"since": since, "user_key": user_key})
        return [TextUse(**{name: row[name] for name in TextUse.__dataclass_fields__}) for row in rows]
