"""What can be done with a data folder from the command line while a bot may be at work there."""

from app import cli
from app.build import open_store, reset_key, stored_workflows
from app.cli import KeyCommand, WorkflowCommand
from config import Settings
from generation.job import Job
from services.web import make_access
from store.folder import has_database
from store.jobs import JobStore
from utils.clock import SystemClock
from utils.folder_lock import FolderLock


async def jobs_in_store(settings: Settings) -> list[Job]:
    """Read what waits and runs in the data folder; a bot may be at work there."""
    if not await has_database(settings.data_dir, settings.media_folder, now=SystemClock().now()):
        return []
    database, box = await open_store(settings)
    try:
        return await JobStore(database, box).active()
    finally:
        await database.close()


async def manage_keys(settings: Settings, command: KeyCommand) -> int:
    """Make, list or revoke keys in the data folder; a bot may be at work there, but not at a reset."""
    if command.action == "reset":
        with FolderLock(settings.data_dir):
            return cli.tell_reset(await reset_key(settings))
    database, box = await open_store(settings)
    try:
        return await cli.manage(make_access(database, box, SystemClock()), command)
    finally:
        await database.close()


async def manage_workflows(settings: Settings, command: WorkflowCommand) -> int:
    """Add, show, correct or delete workflows in the data folder; a bot may be at work there."""
    async with stored_workflows(settings, has_engines=command.needs_engines) as workflows:
        return await cli.manage_workflows(workflows, command)
