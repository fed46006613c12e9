"""The table `looks`: styles with a code that can be passed on."""

import json
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from generation.request import Draft, draft_from_json, draft_to_json
from lazy import dataclass
from store.database import Database, Row
from store.job_rows import to_epoch

_COLUMNS: Final = "code, owner, name, said, palette, is_shared"  # no text: SQL
ADD: Final = """
    INSERT INTO looks (code, owner, name, said, palette, picture, is_shared, created_at)
    VALUES (:code, :owner, :name, :said, :palette, :picture, :is_shared, :created_at)
    ON CONFLICT DO NOTHING RETURNING code
"""
GET: Final = f"SELECT {_COLUMNS} FROM looks WHERE code = ?"  # noqa: S608  # parts of our own
OF: Final = f"""
    SELECT {_COLUMNS} FROM looks WHERE owner IN (SELECT value FROM json_each(?)) ORDER BY owner, name
"""  # noqa: S608
PICTURE: Final = "SELECT picture FROM looks WHERE code = ?"
SHARE: Final = "UPDATE looks SET is_shared = :is_shared WHERE code = :code RETURNING code"
DELETE: Final = "DELETE FROM looks WHERE code = ? RETURNING code"
COUNT: Final = "SELECT count(*) AS number FROM looks WHERE owner = ?"


@dataclass(frozen=True, kw_only=True)
class SavedLook:
    """A style: what is laid under a request, and the colours of the picture it was made from."""

    code: str
    owner: str
    name: str
    draft: Draft
    palette: tuple[str, ...] = ()
    is_shared: bool = False
    picture: bytes | None = field(default=None, repr=False)  # not read back with the rest


class LookStore:
    """Single statements, each one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, look: SavedLook, now: datetime) -> bool:
        """Store a new one; False where its code or its owner's name for it is taken."""
        values = {
            "code": look.code,
            "owner": look.owner,
            "name": look.name,
            "said": json.dumps(draft_to_json(look.draft)),
            "palette": json.dumps(look.palette),
            "picture": look.picture,
            "is_shared": look.is_shared,
            "created_at": to_epoch(now),
        }
        return bool(await self._database.write(ADD, values))

    async def get(self, code: str) -> SavedLook | None:
        rows = await self._database.fetch(GET, (code,))
        return _look(rows[0]) if rows else None

    async def of(self, owners: Iterable[str]) -> list[SavedLook]:
        """Return everything of these owners."""
        return [_look(row) for row in await self._database.fetch(OF, (json.dumps(list(owners)),))]

    async def picture(self, code: str) -> bytes | None:
        rows = await self._database.fetch(PICTURE, (code,))
        found: Any = rows[0]["picture"] if rows else None
        return found if isinstance(found, bytes) else None

    async def share(self, code: str, *, is_shared: bool) -> bool:
        return bool(await self._database.write(SHARE, {"code": code, "is_shared": is_shared}))

    async def delete(self, code: str) -> bool:
        return bool(await self._database.write(DELETE, (code,)))

    async def count(self, owner: str) -> int:
        return int((await self._database.fetch(COUNT, (owner,)))[0]["number"])


def _look(row: Row) -> SavedLook:
    return SavedLook(
        code=row["code"],
        owner=row["owner"],
        name=row["name"],
        draft=draft_from_json(json.loads(row["said"])),
        palette=tuple(json.loads(row["palette"])),
        is_shared=bool(row["is_shared"]),
    )
