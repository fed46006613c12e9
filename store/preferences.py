"""Preferences of a person, a channel or a server: a `Draft` for each scope ("user:ID", "channel:ID", "guild:ID")."""

import json

from generation.request import Draft, draft_from_json, draft_to_json
from store.database import Database

GET = "SELECT draft FROM preferences WHERE scope = ?"
SET = "INSERT INTO preferences (scope, draft) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET draft = excluded.draft"
CLEAR = "DELETE FROM preferences WHERE scope = ?"


class PreferenceStore:
    """The table `preferences`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: str) -> Draft:
        """Return what is preferred there; an empty draft when nothing is."""
        rows = await self._database.fetch(GET, (scope,))
        return draft_from_json(json.loads(rows[0]["draft"])) if rows else Draft()

    async def set(self, scope: str, draft: Draft) -> None:
        """Replace what is preferred there."""
        await self._database.write(SET, (scope, json.dumps(draft_to_json(draft))))

    async def clear(self, scope: str) -> None:
        await self._database.write(CLEAR, (scope,))
