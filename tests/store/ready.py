"""Database files that have their tables: copies, for the migrations of a new one take 14 ms each time."""

from collections.abc import Mapping
from pathlib import Path

from store import image_cache
from store.database import PAGE_BYTES, Database
from store.migrations import cache_steps, easel_steps
from utils.secrets import make_private_file

_made: dict[tuple[str, ...], bytes] = {}


async def open_database(path: Path) -> Database:
    """Open Easel's database at `path` as a second start would find it."""
    await lay_database(path)
    return await Database.open(path, migrations=easel_steps())


async def lay_database(path: Path) -> None:
    await _lay(path, easel_steps(), PAGE_BYTES)


async def lay_cache(folder: Path) -> None:
    await _lay(folder / image_cache.FILE_NAME, cache_steps(), image_cache.PAGE_BYTES)


async def _lay(path: Path, migrations: Mapping[str, str], page_bytes: int) -> None:
    if path.exists():
        return
    key = tuple(migrations)
    if key in _made:
        make_private_file(path)
        path.write_bytes(_made[key])
    else:
        await (await Database.open(path, migrations=migrations, page_bytes=page_bytes)).close()
        _made[key] = path.read_bytes()
