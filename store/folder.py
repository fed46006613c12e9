"""The data folder as a whole: its parts belong together, and one that is missing is never replaced in silence."""

import asyncio
import logging
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Final

from store.copies import forget_old_copies
from store.database import Database
from store.image_cache import FILE_NAME as CACHE_NAME
from store.migrations import easel_steps
from store.seals import SealStore
from texts.text import _, _n
from utils.secrets import SecretBox, new_key, write_keys

log = logging.getLogger(__name__)

DATABASE_NAME: Final = "easel.sqlite3"
KEY_NAME: Final = "secret.key"
OLD_KEY_NAME: Final = "secret.key.old"
FRESH_PICTURES: Final = "SELECT count(*) FROM media WHERE expires_at > ?"
LOST_FOR_GOOD: Final = _(
    "If it is lost for good, `python main.py key reset` makes a new one; people then connect their engines again."
)


class PartMissing(Exception):
    """A part of the data folder is missing or another's; `hint` is what to put back."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message, self.hint = message, hint


async def open_store(
    folder: Path, cache_folder: Path, key: str, *, now: datetime, renews: bool = False
) -> tuple[Database, SecretBox]:
    """Open the database and the box of its secrets; both are made at the first start.

    Args:
        folder: holds the database and the key file.
        cache_folder: where the pictures are.
        key: the owner's own, in place of the key file.
        now: pictures that expired before do not count.
        renews: where there are several keys, everything is sealed with the first, and the others are given up; only
            for who has the folder alone.

    Raises:
        PartMissing: the key or the database is missing, damaged or another's.
        ValueError: `key` is none.
        DatabaseRefused: a newer Easel was here, or another build.
    """
    database = await open_database(folder, cache_folder, now=now)
    try:
        box = await _open_box(database, folder, key)
        return database, await _renewed(database, box, folder / KEY_NAME, is_own=bool(key)) if renews else box
    except BaseException:
        await database.close()
        raise


async def open_database(folder: Path, cache_folder: Path, *, now: datetime) -> Database:
    """Open the database alone, for what has no use for secrets."""
    await has_database(folder, cache_folder, now=now)
    await asyncio.to_thread(forget_old_copies, folder / DATABASE_NAME, now.timestamp())
    steps = await asyncio.to_thread(easel_steps)
    return await Database.open(folder / DATABASE_NAME, migrations=steps, keeps_copy=True)


async def has_database(folder: Path, cache_folder: Path, *, now: datetime) -> bool:
    """Look for the database; there is none before the first start, and no pictures either.

    Raises:
        PartMissing: there are pictures.
    """
    if await asyncio.to_thread((folder / DATABASE_NAME).exists):
        return True
    if count := await asyncio.to_thread(_pictures, cache_folder / CACHE_NAME, now):
        kept = _n("{count} picture is", "{count} pictures are", count=count)
        raise PartMissing(
            _(
                "The database {database_name} is missing from {folder}, though {kept} still in {cache_folder}.",
                database_name=DATABASE_NAME,
                folder=folder,
                kept=kept,
                cache_folder=cache_folder,
            ),
            _(
                "Put {database_name} back from your backup. To begin again, move {cache_folder} away, too.",
                database_name=DATABASE_NAME,
                cache_folder=cache_folder,
            ),
        )
    return False


async def reset_key(folder: Path, cache_folder: Path, key: str, *, now: datetime) -> int | None:
    """Give up what a lost key sealed and seal again; return how many engines were forgotten, None if the key fits."""
    database = await open_database(folder, cache_folder, now=now)
    try:
        try:
            await _open_box(database, folder, key)
        except (PartMissing, ValueError):
            seals, path = SealStore(database), folder / KEY_NAME
            count = await seals.connections()
            if not key and await asyncio.to_thread(path.exists):
                await asyncio.to_thread(path.replace, folder / OLD_KEY_NAME)
            await seals.reset()
            await _open_box(database, folder, key)
            return count
        return None
    finally:
        await database.close()


async def renew_key(folder: Path, cache_folder: Path, *, now: datetime) -> None:
    """Seal everything with a new key in the key file; the former one is kept beside it, for backups from before.

    Whatever cuts it off, the next start goes on with it.

    Raises:
        PartMissing: the key that there is does not fit.
    """
    database = await open_database(folder, cache_folder, now=now)
    try:
        path = folder / KEY_NAME
        box = await _open_box(database, folder, "")
        keys = (new_key(), *box.keys)
        await asyncio.to_thread(write_keys, path, keys)
        await _renewed(database, SecretBox(b" ".join(keys)), path, is_own=False)
    finally:
        await database.close()


async def _renewed(database: Database, box: SecretBox, path: Path, *, is_own: bool) -> SecretBox:
    """Seal everything with the first key of several, and have the key file hold that alone."""
    if len(box.keys) == 1:
        return box
    count = await SealStore(database).renew(box)
    log.warning("sealed again with the new key: %d", count, extra={"action": "key_renewed"})
    if not is_own:
        older = path.with_name(OLD_KEY_NAME)
        kept = await asyncio.to_thread(older.read_bytes) if await asyncio.to_thread(older.exists) else b""
        await asyncio.to_thread(write_keys, older, dict.fromkeys((*box.keys[1:], *kept.split())))
        await asyncio.to_thread(write_keys, path, box.keys[:1])
    return box.newest()


async def _open_box(database: Database, folder: Path, key: str) -> SecretBox:
    seals, path = SealStore(database), folder / KEY_NAME
    if not key and not await asyncio.to_thread(path.exists) and await seals.is_used():
        raise PartMissing(
            _(
                "The key file {key_name} is missing from {folder}, and the database there was sealed with it.",
                key_name=KEY_NAME,
                folder=folder,
            ),
            _("Put {key_name} back from your backup. {lost_for_good}", key_name=KEY_NAME, lost_for_good=LOST_FOR_GOOD),
        )
    box = SecretBox(key.encode()) if key else await _key_file(path)
    if not await seals.fits(box):
        name = "SECRET_KEY" if key else _("The key file {key_name}", key_name=KEY_NAME)
        raise PartMissing(
            _("{name} is not the key that the database in {folder} was sealed with.", name=name, folder=folder),
            _(
                "Put the former key back{rest}. {lost_for_good}",
                rest="" if key else _(" from your backup"),
                lost_for_good=LOST_FOR_GOOD,
            ),
        )
    return box


async def _key_file(path: Path) -> SecretBox:
    try:
        return await asyncio.to_thread(SecretBox.open, path)
    except ValueError as error:
        raise PartMissing(
            _(
                "The key file {key_name} in {parent} is damaged: it is not 44 base64 characters.",
                key_name=KEY_NAME,
                parent=path.parent,
            ),
            _("Put {key_name} back from your backup. {lost_for_good}", key_name=KEY_NAME, lost_for_good=LOST_FOR_GOOD),
        ) from error


def _pictures(path: Path, now: datetime) -> int:
    """Count pictures that are still kept; 0 where there is no such file or it cannot be read."""
    if not path.is_file():
        return 0
    try:
        connection = sqlite3.connect(f"file:{path.absolute().as_posix()}?mode=ro", uri=True)
        try:
            return int(connection.execute(FRESH_PICTURES, (now.timestamp(),)).fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0
