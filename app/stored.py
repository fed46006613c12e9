"""Work on a data folder by itself, from the command line too while a bot may be at work there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from app import cli
from app.cli import BackupCommand, KeyCommand, WorkflowCommand
from app.engines import find_engines
from app.keys import bad_key
from backends.registry import BackendRegistry
from config import Settings
from constants import VERSION
from generation.job import Job
from services.backups import data_of
from services.drawing.workflows import WorkflowService
from services.money.books import MOST_ROWS, BookEntry
from services.web import make_access
from settings.storage import StorageSettings
from store import folder as data_folder
from store.backup import write_backup
from store.charges import ChargeStore
from store.database import Database
from store.jobs import JobStore
from store.restore import restore_backup
from store.workflows import WorkflowStore
from utils.clock import SystemClock
from utils.folder_lock import FolderLock
from utils.secrets import SecretBox, make_private_folder

BOOKS_SHOWN: Final = timedelta(days=29)  # and today


async def open_store(settings: StorageSettings, *, renews: bool = False) -> tuple[Database, SecretBox]:
    """Open the database of the data folder and the box of its secrets; `renews`: see `store.folder`."""
    key, now = settings.secret_key.get_secret_value(), SystemClock().now()
    try:
        return await data_folder.open_store(settings.data_dir, settings.media_folder, key, now=now, renews=renews)
    except ValueError as error:
        raise bad_key() from error


async def jobs_in_store(settings: StorageSettings) -> list[Job]:
    """Read what waits and runs in the data folder; a bot may be at work there."""
    if not await data_folder.has_database(settings.data_dir, settings.media_folder, now=SystemClock().now()):
        return []
    database, box = await open_store(settings)
    try:
        return await JobStore(database, box).active()
    finally:
        await database.close()


async def books_in_store(settings: StorageSettings) -> Sequence[BookEntry]:
    """Read what was spent in the last days; a bot may be at work there."""
    now = SystemClock().now()
    if not await data_folder.has_database(settings.data_dir, settings.media_folder, now=now):
        return ()
    database, __ = await open_store(settings)
    try:
        return await ChargeStore(database).books(f"{now - BOOKS_SHOWN:%Y-%m-%d}", limit=MOST_ROWS)
    finally:
        await database.close()


async def manage_keys(settings: StorageSettings, command: KeyCommand) -> int:
    """Make, list or revoke keys in the data folder; a bot may be at work there, but not at a reset or a renewal."""
    if command.action == "reset":
        with FolderLock(settings.data_dir):
            return cli.tell_reset(await _reset_key(settings))
    if command.action == "renew":
        if settings.secret_key.get_secret_value():
            return cli.tell_how_to_renew()
        with FolderLock(settings.data_dir):
            await data_folder.renew_key(settings.data_dir, settings.media_folder, now=SystemClock().now())
        return cli.tell_renewed()
    database, box = await open_store(settings)
    try:
        return await cli.manage(make_access(database, box, SystemClock()), command)
    finally:
        await database.close()


async def _reset_key(settings: StorageSettings) -> int | None:
    """Give up what a lost key sealed; return how many engines were forgotten, None if the key fits."""
    key, now = settings.secret_key.get_secret_value(), SystemClock().now()
    try:
        return await data_folder.reset_key(settings.data_dir, settings.media_folder, key, now=now)
    except ValueError as error:
        raise bad_key() from error


async def manage_workflows(settings: Settings, command: WorkflowCommand) -> int:
    """Add, show, correct or delete workflows in the data folder; a bot may be at work there."""
    async with stored_workflows(settings, has_engines=command.needs_engines) as workflows:
        return await cli.manage_workflows(workflows, command)


@asynccontextmanager
async def stored_workflows(settings: Settings, *, has_engines: bool = False) -> AsyncIterator[WorkflowService]:
    """Open the workflows of the data folder by themselves; a bot may be at work there."""
    clock, storage = SystemClock(), settings.storage
    registry = BackendRegistry(clock)
    for entry in (await find_engines(settings))[0] if has_engines else ():
        registry.add(entry)
    database = await data_folder.open_database(storage.data_dir, storage.media_folder, now=clock.now())
    try:
        yield WorkflowService(registry, WorkflowStore(database), clock)
    finally:
        await registry.aclose()
        await database.close()


def manage_backup(settings: StorageSettings, command: BackupCommand) -> int:
    """Write a backup of the data folder, where a bot may be at work, or put one back, where none may be. Blocks."""
    data, now = data_of(settings), SystemClock().now()
    if command.action == "backup":
        report = write_backup(data, command.path, version=VERSION, now=now, with_key=command.with_key)
        return cli.tell_backup(command.path, sum(report.sizes.values()), has_key=report.has_key)
    make_private_folder(settings.data_dir)
    has_own_key = bool(settings.secret_key.get_secret_value())
    with FolderLock(settings.data_dir):
        restored = restore_backup(
            command.path, data, now=now, has_own_key=has_own_key, is_replacing=command.is_replacing
        )
    report, needs_key = restored.report, restored.needs_key
    return cli.tell_restored(report.made_at, report.version, moved_to=restored.moved_to, needs_key=needs_key)
