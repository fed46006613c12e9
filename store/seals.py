"""Check that the secret key is the one the database was sealed with: a known value, sealed at the first start."""

from typing import Final

from store.database import Database
from texts.text import _
from utils.secrets import SecretBox

NAME: Final = _("secret key")
KNOWN: Final = "Easel"

GET: Final = "SELECT sealed FROM seals WHERE name = ?"
PUT: Final = "INSERT INTO seals (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
SAMPLES: Final = "SELECT url FROM connections UNION ALL SELECT url FROM webhooks WHERE job_id = '' LIMIT 20"
COUNT: Final = "SELECT count(*) AS number FROM connections"
# every place of something sealed: its table, what names a row there, and the columns
SEALED: Final = (
    ("seals", "name", ("sealed",)),
    ("connections", "id", ("url", "key")),
    ("webhooks", "id", ("url",)),
    ("jobs", "id", ("reply_token",)),
    ("intakes", "id", ("reply_token",)),
)
RESET: Final = (
    "DELETE FROM seals",
    "DELETE FROM connections",
    "DELETE FROM webhooks",
    "UPDATE jobs SET reply_token = '' WHERE reply_token != ''",
)


class SealStore:
    """The table `seals`, and what else in the database is sealed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_used(self) -> bool:
        """Return whether there is anything that only one key opens."""
        return bool(await self._database.fetch(GET, (NAME,)) or await self._database.fetch(SAMPLES))

    async def fits(self, box: SecretBox) -> bool:
        """Try the key; the first that fits a database without a seal is the one it is sealed with from now on."""
        if not await self._database.fetch(GET, (NAME,)):
            samples = [row["url"] for row in await self._database.fetch(SAMPLES)]
            if samples and not any(box.has_sealed(sample) for sample in samples):
                return False
            await self._database.write(PUT, (NAME, box.seal(KNOWN)))
        (row,) = await self._database.fetch(GET, (NAME,))
        return box.has_sealed(row["sealed"])

    async def connections(self) -> int:
        return int((await self._database.fetch(COUNT))[0]["number"])

    async def renew(self, box: SecretBox) -> int:
        """Seal again with the first key what an older one of the box opens, all or nothing; return how many texts.

        What none of them opens stays as it is: it was lost before.
        """
        newest, count = box.newest(), 0
        async with self._database.transaction():
            for table, name, columns in SEALED:
                for column in columns:
                    read = f"SELECT {name} AS name, {column} AS sealed FROM {table} WHERE {column} != ''"  # noqa: S608
                    write = f"UPDATE {table} SET {column} = ? WHERE {name} = ?"  # noqa: S608  # names of ours
                    for row in await self._database.fetch(read):
                        if box.has_sealed(row["sealed"]) and not newest.has_sealed(row["sealed"]):
                            again = newest.seal(box.unseal(row["sealed"]))
                            await self._database.write(write, (again, row["name"]))
                            count += 1
        return count

    async def reset(self) -> None:
        """Delete the seal and all that nobody can open any more."""
        async with self._database.transaction():
            for statement in RESET:
                await self._database.write(statement)
