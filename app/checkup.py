"""Checks of `doctor` that only the running parts can make: the key, the disks, the port, the database, each engine."""

import asyncio
import errno
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from app.engines import find_engines, first_engine
from app.keys import bad_key, open_signer
from app.machine import check_machine
from app.stored import jobs_in_store
from app.text import check_text_engine
from backends.diagnose import diagnose
from backends.kinds import address_of, connectable, known_kinds
from config import Settings
from console.doctor import Check
from services.engines.catalog import find_entry
from settings.reading.problems import SettingsError
from store.database import DatabaseRefused
from store.folder import DATABASE_NAME, PartMissing
from texts.text import _, _n
from utils.clock import SystemClock
from utils.disks import too_little
from utils.folder_lock import FolderInUse, FolderLock
from utils.ports import holder_of
from utils.secrets import SecretBox

LOCAL = _("Set it to 127.0.0.1, to 0.0.0.0 to let other machines in, or to an address of this machine.")


async def look_around(settings: Settings) -> list[Check]:
    """Test the keys, the disks and the address to listen on."""
    parts = (_key, _signer, _disks, _address)
    return await asyncio.to_thread(lambda: [check for part in parts for check in part(settings)])


def lost(missing: PartMissing) -> Check:
    return Check(name=_("data folder"), is_ok=False, message=missing.message, hint=missing.hint)


def _key(settings: Settings) -> Iterator[Check]:
    key = settings.storage.secret_key.get_secret_value()
    if not key:
        return
    try:
        SecretBox(key.encode())
    except ValueError:
        (problem,) = bad_key().problems
        yield Check(name="SECRET_KEY", is_ok=False, message=_("It must be {allowed}.", allowed=problem.allowed))
    else:
        yield Check(name="SECRET_KEY", is_ok=True, message=_("set, and it has the right form"))


def _signer(settings: Settings) -> Iterator[Check]:
    try:
        signer = open_signer(settings.marks, SystemClock().now())
    except SettingsError as error:
        for problem in error.problems:
            given = _("It is missing: it must be") if not problem.value else _("It must be")
            yield Check(name=problem.name, is_ok=False, message=f"{given} {problem.allowed}.")
        return
    if signer is not None:
        ends = f"{signer.credential.ends_at:%Y-%m-%d}"
        yield Check(
            name="PROVENANCE",
            is_ok=True,
            message=_("pictures are signed (C2PA); the certificate ends on {ends}", ends=ends),
        )


def _disks(settings: Settings) -> Iterator[Check]:
    for name, folder in (
        (_("disk of the data folder"), settings.storage.data_dir),
        (_("disk of the pictures"), settings.storage.media_folder),
    ):
        if given := too_little(folder):
            yield Check(name=name, is_ok=False, message=given)


def _address(settings: Settings) -> Iterator[Check]:
    """Try to listen where the studio would; a running Easel of the same folder has the port by right."""
    if not settings.web.is_on:
        return
    name, host, port = _("studio and API"), settings.web.host, settings.web.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, port))
        except OSError as error:
            yield _refused(settings, error)
            return
    yield Check(name=name, is_ok=True, message=_("port {port} of {host} is free", port=port, host=host))


def _refused(settings: Settings, error: OSError) -> Check:
    name, port = _("studio and API"), settings.web.port
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        message = _("WEB_HOST={host} is not an address of this machine.", host=settings.web.host)
        return Check(name="WEB_HOST", is_ok=False, message=message, hint=LOCAL)
    if error.errno in (errno.EACCES, errno.EPERM):
        message = _("PORT={port} may not be used by this user: ports below 1024 belong to the system.", port=port)
        return Check(name="PORT", is_ok=False, message=message, hint=_("Set PORT to one from 1024 on."))
    if error.errno != errno.EADDRINUSE:
        return Check(
            name=name,
            is_ok=False,
            message=_("PORT={port} cannot be used: {strerror}.", port=port, strerror=error.strerror),
        )
    if _is_running(settings.storage.data_dir):
        return Check(name=name, is_ok=True, message=_("port {port} is in use, and an Easel is running here", port=port))
    holder = holder_of(port) or _("another program")
    if settings.web.is_port_chosen:
        hint = _("Stop that, or set PORT in .env to another one.")
        return Check(
            name="PORT",
            is_ok=False,
            message=_("PORT={port} is in use by {holder}.", port=port, holder=holder),
            hint=hint,
        )
    return Check(
        name=name,
        is_ok=True,
        message=_("port {port} is in use by {holder}; the next free one is taken", port=port, holder=holder),
    )


def _is_running(folder: Path) -> bool:
    if not folder.exists():
        return False
    try:
        with FolderLock(folder):
            return False
    except FolderInUse:
        return True
    except (OSError, sqlite3.Error):
        return False


async def checks(settings: Settings) -> list[Check]:
    """Test what only the running parts can tell: the database, and each engine layer by layer."""
    found = [*await look_around(settings), await _check_database(settings), *await check_text_engine(settings)]
    entries, findings = await find_engines(settings)
    found += [Check(name=_("this machine"), is_ok=True, message=finding) for finding in findings]
    for entry in entries:
        if address_of(entry.config):
            result = await diagnose(entry.config)
            message, hint = result.message, result.hint or result.owner_hint
            found.append(Check(name=entry.label, is_ok=result.is_ok, message=message, hint=hint))
        await entry.backend.aclose()
    absent = (kind for kind in known_kinds() if kind.fills and not kind.is_there())
    found += [
        Check(name=_("neural networks"), is_ok=True, message=_("not installed. {hint}", hint=kind.absent_hint))
        for kind in absent
    ]
    found += await check_machine(settings)
    if all(entry.is_fallback for entry in entries):
        how = first_engine()
        hint = f"{how[0].upper()}{how[1:]}. {connectable()[0].api_off_hint}".strip()
        message = _("No engine yet: pictures are drawn by rules, not by an AI model.")
        if any(entry.finishes for entry in entries):
            message = _("No engine yet: pictures are composed by rules, and painted by a neural network.")
        can_draw = any(not entry.fills for entry in entries)
        if not can_draw:
            message = _("None is set, and none was found on this machine: only who connects one can make pictures.")
        found.append(Check(name=_("engines"), is_ok=can_draw, message=message, hint=hint))
    return found


async def engine_checks(settings: Settings, wanted: str) -> list[Check]:
    """Test one engine alone, layer by layer: by its name, its kind, or another word for that."""
    entries, __ = await find_engines(settings)
    try:
        entry = find_entry(wanted, entries)
        if entry is None:
            known = ", ".join(entry.name for entry in entries)
            message = _("There is no engine “{wanted}” here.", wanted=wanted[:60])
            return [Check(name=_("engines"), is_ok=False, message=message, hint=_("There are: {known}.", known=known))]
        if not address_of(entry.config):
            return [Check(name=entry.label, is_ok=True, message=_("It draws in Easel itself: there is no server."))]
        result = await diagnose(entry.config)
        steps = [Check(name=step.layer, is_ok=step.is_ok, message=step.message) for step in result.steps]
        hint = result.hint or result.owner_hint
        return [*steps, Check(name=entry.label, is_ok=result.is_ok, message=result.message, hint=hint)]
    finally:
        for each in entries:
            await each.backend.aclose()


async def _check_database(settings: Settings) -> Check:
    try:
        jobs = await jobs_in_store(settings.storage)
    except PartMissing as missing:
        return lost(missing)
    except SettingsError as error:
        wrong = ", ".join(problem.name for problem in error.problems)
        return Check(
            name=_("database"), is_ok=False, message=_("It cannot be read before {wrong} is right.", wrong=wrong)
        )
    except DatabaseRefused as error:
        return Check(name=_("database"), is_ok=False, message=str(error))
    except (OSError, sqlite3.Error) as error:
        hint = _(
            "Is the disk full, or the folder on a network drive? "
            "If the file is damaged, put {database_name} back from your backup.",
            database_name=DATABASE_NAME,
        )
        return Check(
            name=_("database"), is_ok=False, message=_("It cannot be opened: {error}.", error=error), hint=hint
        )
    words = _n(
        "It opens; {count} job is waiting or running.",
        "It opens; {count} jobs are waiting or running.",
        count=len(jobs),
    )
    return Check(name=_("database"), is_ok=True, message=words)
