"""What a person, a channel or a server always wants: a `Draft` for each scope ("user:ID", "channel:ID", "guild:ID")."""

import json
from dataclasses import fields
from typing import Any

from generation.request import Draft, value_from_json, value_to_json
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
        return _from_json(json.loads(rows[0]["draft"])) if rows else Draft()

    async def set(self, scope: str, draft: Draft) -> None:
        """Replace what is preferred there."""
        await self._database.write(SET, (scope, json.dumps(_to_json(draft))))

    async def clear(self, scope: str) -> None:
        await self._database.write(CLEAR, (scope,))


def _to_json(draft: Draft) -> dict[str, Any]:
    """Return what was said as plain JSON values; pictures as their ids."""
    unsaid = Draft()
    said = {f.name: getattr(draft, f.name) for f in fields(Draft)}
    return {name: value_to_json(value) for name, value in said.items() if value != getattr(unsaid, name)}


def _from_json(values: dict[str, Any]) -> Draft:
    """Read what `_to_json` wrote; fields unknown to this version are passed over."""
    known = (f.name for f in fields(Draft) if f.name in values)
    return Draft(**{name: value_from_json(name, values[name]) for name in known})
