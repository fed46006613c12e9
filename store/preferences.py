"""What a person, a channel or a server always wants: a `Draft` for each scope ("user:ID", "channel:ID", "guild:ID")."""

import json
from dataclasses import fields
from typing import Any

from generation.request import Draft, Lora, Mode, SourceImage
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
    values = {name: value for name, value in said.items() if value != getattr(unsaid, name)}
    for name, value in values.items():
        if isinstance(value, SourceImage):
            values[name] = value.media_id
    if draft.loras:
        values["loras"] = [[lora.name, lora.weight] for lora in draft.loras]
    return values


def _from_json(values: dict[str, Any]) -> Draft:
    """Read what `_to_json` wrote; fields unknown to this version are passed over."""
    known = {f.name: values[f.name] for f in fields(Draft) if f.name in values}
    readers: dict[str, Any] = {
        "mode": Mode,
        "aspect": tuple,
        "loras": lambda loras: tuple(Lora(name=name, weight=weight) for name, weight in loras),
        "init_image": lambda media_id: SourceImage(media_id=media_id),
        "mask_image": lambda media_id: SourceImage(media_id=media_id),
    }
    return Draft(**{name: readers[name](value) if name in readers else value for name, value in known.items()})
