"""Prompts that people saved to use again (table `prompt_templates`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from generation.policy import PROMPT_SEEN
from lazy import dataclass
from store.database import Database, Row
from store.job_rows import from_epoch, to_epoch

VISIBLE: Final = f"""
    SELECT * FROM prompt_templates WHERE {PROMPT_SEEN}
    ORDER BY user_key <> :user_key, name COLLATE NOCASE, id
"""  # noqa: S608  # parts of our own
POPULAR: Final = "SELECT * FROM popular_prompt_templates LIMIT ?"
GET: Final = f"SELECT * FROM prompt_templates WHERE id = :id AND {PROMPT_SEEN}"  # noqa: S608  # parts of our own
ADD: Final = """
    INSERT INTO prompt_templates (id, user_key, name, prompt, negative_prompt, description, is_shared, created_at,
        updated_at)
    VALUES (:id, :user_key, :name, :prompt, :negative_prompt, :description, :is_shared, :now, :now)
    ON CONFLICT DO NOTHING RETURNING *
"""
CHANGE: Final = """
    UPDATE OR IGNORE prompt_templates SET name = :name, prompt = :prompt, negative_prompt = :negative_prompt,
        description = :description, is_shared = :is_shared, updated_at = :now
    WHERE id = :id AND user_key = :user_key RETURNING *
"""
DELETE: Final = "DELETE FROM prompt_templates WHERE id = :id AND user_key = :user_key RETURNING id"
USE: Final = f"""
    UPDATE prompt_templates SET usage_count = usage_count + 1, last_used_at = :now
    WHERE id = :id AND {PROMPT_SEEN} RETURNING *
"""  # noqa: S608  # parts of our own
COUNT: Final = "SELECT count(*) AS number FROM prompt_templates WHERE user_key = ?"


@dataclass(frozen=True, kw_only=True)
class PromptTemplate:
    """A saved prompt. `is_shared`: everybody sees and may use it."""

    id: str
    user_key: str
    name: str
    prompt: str
    negative_prompt: str
    description: str
    is_shared: bool
    usage_count: int
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None


class TemplateStore:
    """Single statements, each one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible(self, user_key: str) -> list[PromptTemplate]:
        """Return a person's own templates by name, then the shared ones."""
        return _templates(await self._database.fetch(VISIBLE, {"user_key": user_key}))

    async def popular(self, limit: int) -> list[PromptTemplate]:
        """Return shared templates, the most used first."""
        return _templates(await self._database.fetch(POPULAR, (limit,)))

    async def get(self, user_key: str, template_id: str) -> PromptTemplate | None:
        return _first(await self._database.fetch(GET, {"id": template_id, "user_key": user_key}))

    async def add(
        self, user_key: str, template_id: str, values: dict[str, Any], now: datetime
    ) -> PromptTemplate | None:
        """Store a new one from all its values; None when the name is taken."""
        params = values | {"id": template_id, "user_key": user_key, "now": to_epoch(now)}
        return _first(await self._database.write(ADD, params))

    async def change(
        self, user_key: str, template_id: str, values: dict[str, Any], now: datetime
    ) -> PromptTemplate | None:
        """Replace all values of your own template; None when there is none, or another has that name."""
        params = values | {"id": template_id, "user_key": user_key, "now": to_epoch(now)}
        return _first(await self._database.write(CHANGE, params))

    async def delete(self, user_key: str, template_id: str) -> bool:
        params = {"id": template_id, "user_key": user_key}
        return bool(await self._database.write(DELETE, params))

    async def use(self, user_key: str, template_id: str, now: datetime) -> PromptTemplate | None:
        """Count one more use and return the template."""
        params = {"id": template_id, "user_key": user_key, "now": to_epoch(now)}
        return _first(await self._database.write(USE, params))

    async def count(self, user_key: str) -> int:
        return int((await self._database.fetch(COUNT, (user_key,)))[0]["number"])


def _first(rows: Iterable[Row]) -> PromptTemplate | None:
    return next(iter(_templates(rows)), None)


def _templates(rows: Iterable[Row]) -> list[PromptTemplate]:
    times = ("created_at", "updated_at", "last_used_at")
    return [
        PromptTemplate(
            **dict(row) | {name: from_epoch(row[name]) for name in times} | {"is_shared": bool(row["is_shared"])}
        )
        for row in rows
    ]
