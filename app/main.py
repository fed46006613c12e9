"""The command line and the settings read, and what is asked for done."""

import asyncio
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from app import cli
from app.assistants import run_stdio
from app.checkup import checks, engine_checks
from app.cli import Command
from app.doors import run_bot, run_console, run_studio
from app.models import manage_models
from app.source import ENV_FILE, SettingsSource
from app.stored import books_in_store, jobs_in_store, manage_backup, manage_keys, manage_workflows
from config import Settings
from console.env_file import make_env_file
from settings.reading.problems import SettingsError
from store.backup import BackupRefused
from store.database import DatabaseRefused
from store.folder import PartMissing
from texts.text import Text, _
from utils.disks import FULL, is_full, too_little
from utils.folder_lock import FolderInUse, FolderLock
from utils.ports import PortInUse
from utils.secrets import make_private_folder

log = logging.getLogger("easel")

ENV_EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the settings, do what is asked, return the exit code."""
    command = cli.parse(sys.argv[1:] if argv is None else argv)
    if command.name in cli.WITHOUT_SETTINGS:
        return cli.run(command)
    try:
        if command.name == "start":
            make_env_file(ENV_FILE, ENV_EXAMPLE)
        source = SettingsSource(ENV_FILE, os.environ, no_web=command.no_web)
        settings = source.read()
        has_token = bool(settings.discord.token.get_secret_value())
        is_bot = command.name == "start" and has_token and not command.no_discord
        source.is_bot, source.keeps_log = is_bot, command.name == "start"
        source.set_logging(settings)
        for warning in settings.warnings:
            cli.tell(warning)
        if command.name == "start":
            _warn_of_full_disk(settings, is_bot=is_bot)
        return _start(command, settings, source)
    except SettingsError as error:
        cli.tell(_("Some settings cannot be used. Change them in .env (or the environment):\n{error}", error=error))
        return cli.BAD_INPUT
    except (FolderInUse, DatabaseRefused, PartMissing, PortInUse, BackupRefused) as error:
        cli.tell(str(error))
    except (OSError, sqlite3.Error) as error:
        log.debug("start failed", exc_info=error)
        cli.tell(_why(error))
    except KeyboardInterrupt:
        cli.tell(_("Cancelled."))
        return cli.INTERRUPTED
    return cli.FAILED


def _why(error: OSError | sqlite3.Error) -> str:
    if is_full(error):
        return Text(FULL, {"folder": "DATA_DIR", "state": _("is full")})
    if isinstance(error, sqlite3.Error):
        return _("The database in DATA_DIR cannot be used: {error}. `python main.py doctor` looks closer.", error=error)
    return _(
        "Easel cannot use a file or folder it needs: {strerror} ({filename}).",
        strerror=error.strerror or error,
        filename=error.filename or "?",
    )


def _warn_of_full_disk(settings: Settings, *, is_bot: bool) -> None:
    warning = too_little(settings.storage.data_dir) or too_little(settings.storage.media_folder)
    if warning and is_bot:
        log.error(warning)
    elif warning:
        cli.tell(warning)


def _start(command: Command, settings: Settings, source: SettingsSource) -> int:
    if source.is_bot:
        make_private_folder(settings.storage.data_dir)
        with FolderLock(settings.storage.data_dir):
            return asyncio.run(run_bot(settings, source))
    if command.name == "mcp":
        make_private_folder(settings.storage.data_dir)
        with FolderLock(settings.storage.data_dir):
            return asyncio.run(run_stdio(settings))
    if command.name == "queue":
        return cli.run(command, jobs=asyncio.run(jobs_in_store(settings.storage)))
    if command.name == "cost":
        return cli.run(command, books=asyncio.run(books_in_store(settings.storage)))
    if command.workflow:
        return asyncio.run(manage_workflows(settings, command.workflow))
    if command.model:
        return asyncio.run(manage_models(settings, command.model))
    if command.backup:
        return manage_backup(settings.storage, command.backup)
    if command.key:
        return asyncio.run(manage_keys(settings.storage, command.key))
    if command.name == "doctor":
        found = engine_checks(settings, command.text) if command.text else checks(settings)
        return cli.run(command, settings=settings, checks=asyncio.run(found))
    if command.name == "start" and settings.web.is_on:
        return run_studio(settings, command, source)
    return run_console(settings, command)
