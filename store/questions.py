"""The table `questions`: orders that wait for a second word of consent, until it comes or a day has passed."""

import json
import sqlite3
from datetime import datetime
from typing import Final

from generation.errors import StoreUnavailable
from generation.order import Order, order_from_json, order_to_json
from lazy import dataclass
from store.database import Database
from store.job_rows import from_epoch, to_epoch

ASK: Final = """
    INSERT INTO questions (id, user_key, said, is_private, created_at)
    VALUES (:id, :user_key, :said, :is_private, :created_at)
    ON CONFLICT DO NOTHING
"""
GET: Final = "SELECT * FROM questions WHERE id = ?"
DROP: Final = "DELETE FROM questions WHERE id = ?"


@dataclass(frozen=True, kw_only=True)
class Question:
    """An order that is not confirmed yet. `id`: the door's own of the message or press."""

    id: str
    user_key: str
    order: Order
    is_private: bool
    asked_at: datetime | None = None


class QuestionStore:
    """Single statements, each one commit; the sweeper drops what is old, `WordStore` what a person forgets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, question: Question, now: datetime) -> None:
        """Store it.

        Raises:
            StoreUnavailable: the file cannot be written.
        """
        values = {
            "id": question.id,
            "user_key": question.user_key,
            "said": json.dumps(order_to_json(question.order)),
            "is_private": question.is_private,
            "created_at": to_epoch(now),
        }
        try:
            await self._database.write(ASK, values)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(detail=str(error)) from error

    async def get(self, question_id: str) -> Question | None:
        rows = await self._database.fetch(GET, (question_id,))
        if not rows:
            return None
        order = order_from_json(json.loads(rows[0]["said"]))
        is_private = bool(rows[0]["is_private"])
        return Question(
            id=rows[0]["id"],
            user_key=rows[0]["user_key"],
            order=order,
            is_private=is_private,
            asked_at=from_epoch(rows[0]["created_at"]),
        )

    async def drop(self, question_id: str) -> None:
        await self._database.write(DROP, (question_id,))
