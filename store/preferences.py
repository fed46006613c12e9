"""Preferences of a person, a channel or a server, by scope ("user:ID", "channel:ID", "guild:ID").

Each is a `Draft` and, beside its fields, the `Habits`: a version that does not know them passes them over.
"""

import json
from collections.abc import Sequence
from typing import Any

from generation.habits import Habits, habits_from_json
from generation.request import Draft, draft_from_json, draft_to_json
from store.database import Database

GET = "SELECT draft FROM preferences WHERE scope = ?"
GET_ALL = "SELECT scope, draft FROM preferences WHERE scope IN (SELECT value FROM json_each(?))"
SET = "INSERT INTO preferences (scope, draft) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET draft = excluded.draft"
CLEAR = "DELETE FROM preferences WHERE scope = ?"
NO_HABITS = Habits()


class PreferenceStore:
    """The table `preferences`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: str) -> Draft:
        """Return what is preferred there; an empty draft when nothing is."""
        rows = await self._database.fetch(GET, (scope,))
        return draft_from_json(json.loads(rows[0]["draft"])) if rows else Draft()

    async def each(self, scopes: Sequence[str]) -> list[Draft]:
        """Return what is preferred in those of these scopes where something is, in their order."""
        return [draft_from_json(values) for values in await self._each(scopes)]

    async def habits(self, scope: str) -> Habits:
        """Return how answers are wanted there."""
        return next(iter(await self.each_habits((scope,))), NO_HABITS)

    async def each_habits(self, scopes: Sequence[str]) -> list[Habits]:
        """Return how answers are wanted in those of these scopes where something is said, in their order."""
        return [habits_from_json(values.get("habits")) for values in await self._each(scopes)]

    async def _each(self, scopes: Sequence[str]) -> list[dict[str, Any]]:
        rows = await self._database.fetch(GET_ALL, (json.dumps(scopes),))
        found = {row["scope"]: row["draft"] for row in rows}
        return [json.loads(found[scope]) for scope in scopes if scope in found]

    async def set(self, scope: str, draft: Draft, habits: Habits = NO_HABITS) -> None:
        """Replace what is preferred there."""
        values = draft_to_json(draft) | ({"habits": given} if (given := habits.given()) else {})
        await self._database.write(SET, (scope, json.dumps(values)))

    async def clear(self, scope: str) -> None:
        await self._database.write(CLEAR, (scope,))
