"""The rules of Discord servers (table `house_rules`)."""

import json
from datetime import datetime
from typing import Final

from generation.house import HouseRules, rules_from_json, rules_to_json
from store.database import Database, Write
from store.job_rows import to_epoch

GET: Final = "SELECT rules FROM house_rules WHERE guild_id = ?"
SET: Final = """
    INSERT INTO house_rules (guild_id, rules, changed_by, changed_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (guild_id) DO UPDATE
    SET rules = excluded.rules, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""


class HouseStore:
    """One row for each server that has set something."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, guild_id: str) -> HouseRules | None:
        """Return the rules of a server; None where nothing was set."""
        rows = await self._database.fetch(GET, (guild_id,))
        return rules_from_json(json.loads(rows[0]["rules"])) if rows else None

    def setting(self, guild_id: str, rules: HouseRules, user_key: str, now: datetime) -> Write:
        """Return what replaces the rules of a server."""
        return SET, (guild_id, json.dumps(rules_to_json(rules)), user_key, to_epoch(now))
