"""One SQLite file behind one connection that serialises everything, and a second one that only reads.

Every statement is one hop to the connection's thread and is queued there before its caller first gives way. So a
cancelled caller never leaves half a statement behind: it has run, or it never began. What waits there at the same time
is committed together.
Source: sqlite.org/wal.html and sqlite.org/pragma.html; the order of the pragmas in `_prepare` matters.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar

from store.copies import keep_copy
from store.history import OLD_NAMES, adopt, is_first_form, is_history, mend_first_form
from store.migrations import only_adds
from store.sqlite_thread import ConnectionClosed as ConnectionClosed
from store.sqlite_thread import Must as Must
from store.sqlite_thread import NothingThere as NothingThere
from store.sqlite_thread import Params, SqliteThread
from store.sqlite_thread import Row as Row
from store.sqlite_thread import Write as Write
from texts.text import _
from utils.secrets import make_private_file

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
PROBE_TIMEOUT_S = 1.0
PAGE_BYTES = 4096
VACUUM_CHUNK_BYTES = 1_600_000  # one chunk takes about 6 ms of the connection's thread

T = TypeVar("T")
FileTrouble = sqlite3.Error  # for rooms that know of no SQLite

_CREATE_MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS migrations "
    "(name TEXT PRIMARY KEY, applied_at REAL NOT NULL, sha256 TEXT NOT NULL DEFAULT '')"
)
# Steps of newer versions that this one can go on after: a table of its own, in files that have seen such a step.
_CREATE_ADDED = "CREATE TABLE IF NOT EXISTS added_steps (name TEXT PRIMARY KEY) WITHOUT ROWID"
ADDED_THERE = "SELECT name FROM sqlite_master WHERE name = 'added_steps'"
ADDED_STEPS = "SELECT name FROM added_steps"


class DatabaseRefused(Exception):
    """Easel leaves the file as it is; the text says why, and what to do."""


class DatabaseTooNew(DatabaseRefused):
    """The file was written by a newer Easel than this one."""

    def __init__(self, path: Path, unknown: Iterable[str]) -> None:
        super().__init__(
            _(
                "{name} was written by a newer version of Easel (it has {unknown}). "
                "Install that version again, or use another data folder.",
                name=path.name,
                unknown=", ".join(sorted(unknown)),
            )
        )


class DatabaseForeign(DatabaseRefused):
    """A step of the file was another one than the step of that name is here."""

    def __init__(self, path: Path, changed: Iterable[str]) -> None:
        super().__init__(
            _(
                "{name} was written by another build of Easel (its {changed} is not ours): "
                "install that build again, or put back a backup of {name} from before it.",
                name=path.name,
                changed=", ".join(sorted(changed)),
            )
        )


class Database:
    """Single statements and transactions on one file. Build it with `Database.open`."""

    def __init__(self, path: Path, writer: SqliteThread) -> None:
        self.path = path
        self._writer = writer
        self._reader: SqliteThread | None = None
        self._turn = asyncio.Lock()  # held by a transaction, and by nothing else that lasts
        self._owner: asyncio.Task[Any] | None = None

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        migrations: Mapping[str, str],
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        page_bytes: int = PAGE_BYTES,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        keeps_copy: bool = False,
    ) -> "Database":
        """Open or make the file (mode 0600) and bring its tables up to date.

        Args:
            path: missing folders above it are made, mode 0700.
            migrations: name ("001_jobs") to SQL script, in order; each runs once, in a transaction of its own.
            synchronous: FULL keeps every commit through a power cut, NORMAL may lose the last ones.
            page_bytes: counts only when the file is made.
            busy_timeout_s: how long a statement waits for another process.
            keeps_copy: the file is copied before it is brought up to date, so that one can go back.

        Raises:
            OSError: there is no room for the copy.
            DatabaseTooNew: it holds migrations that are not in `migrations` and do more than add.
            DatabaseForeign: it holds one whose script was another.
            sqlite3.Error: it cannot be opened.
        """
        await asyncio.to_thread(make_private_file, path)
        is_full = synchronous == "FULL"
        database = cls(path, await SqliteThread.open(path, timeout_s=busy_timeout_s, is_full=is_full))
        try:
            await database._prepare(synchronous, page_bytes)
            await database._migrate(migrations, keeps_copy=keeps_copy)
            await database._open_reader(busy_timeout_s)
        except BaseException:
            await database.close()
            raise
        return database

    async def fetch(self, sql: str, params: Params = ()) -> list[Row]:
        """Return the rows of a SELECT."""
        if not self._must_wait():
            return await self._writer.rows(sql, params)
        async with self._alone():
            return await self._writer.rows(sql, params)

    async def read(self, sql: str, params: Params = ()) -> list[Row]:
        """Return the rows of a SELECT that may take long: no write waits for it, and it sees what is committed.

        Do not use it inside a transaction, whose changes it does not see.
        """
        assert self._reader is not None, "a database is opened by Database.open"
        return await self._reader.rows(sql, params)

    async def read_as(self, sql: str, make: Callable[[list[Row]], T], params: Params = ()) -> T:
        """Return what `make` makes of the rows of such a SELECT; it runs in a thread."""
        return await asyncio.to_thread(make, await self.read(sql, params))

    async def write(self, sql: str, params: Params = (), *, is_lax: bool = False) -> list[Row]:
        """Run one statement and commit it (unless inside `transaction`); return the rows of its RETURNING.

        `is_lax`: a power cut may lose it, though no end of the process does; whatever is written after it and is not
        lax makes it sure too. Only for what Easel finds out again by itself.
        """
        if self._owner is asyncio.current_task():
            return await self._writer.rows(sql, params)
        params = params if isinstance(params, Mapping) else tuple(params)  # it may be run twice
        return await self._writer.add([(sql, params)], is_lax=is_lax, announces=not self._turn.locked())

    async def write_all(self, writes: Sequence[Write]) -> None:
        """Run statements as one unit: all are committed or, after any error, none; in a `transaction` as parts of it.

        Raises:
            NothingThere: one that `Must` change a row found none.
        """
        if self._owner is asyncio.current_task():
            for write in writes:
                if not await self._writer.rows(write[0], write[1]) and isinstance(write, Must):
                    raise write.refusal
            return
        await self._writer.add(writes, is_lax=False, announces=not self._turn.locked())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make the statements of this task one unit: all or, after any exception, none.

        Statements of other tasks, reads too, wait until it ends. A task begun inside counts as another one, so do
        not await one here (`asyncio.wait_for` on Python 3.11 begins one; `asyncio.timeout` does not).
        """
        if self._owner is asyncio.current_task():
            raise RuntimeError("a transaction is already open in this task")
        async with self._alone():
            self._owner = asyncio.current_task()
            try:
                await self._writer.rows("BEGIN IMMEDIATE")
                yield
                await self._writer.rows("COMMIT")
            except BaseException:
                await self._writer.rollback()  # queued even if cancelled again; does nothing after a commit
                raise
            finally:
                self._owner = None

    async def shrink(self) -> None:
        """Give free pages back to the file system in small bites and empty the -wal file, so deleted bytes are gone."""
        page_bytes = (await self.fetch("PRAGMA page_size"))[0][0]
        free_pages = (await self.fetch("PRAGMA freelist_count"))[0][0]
        chunk_pages = max(1, VACUUM_CHUNK_BYTES // page_bytes)
        for __ in range(0, free_pages, chunk_pages):
            await self._script(f"PRAGMA incremental_vacuum({chunk_pages});")
        await self.fetch("PRAGMA wal_checkpoint(TRUNCATE)")

    async def check_writable(self, timeout_s: float = PROBE_TIMEOUT_S) -> None:
        """Commit something that changes nothing, on a connection of its own: nobody's statements wait behind it.

        Raises:
            sqlite3.Error: another process holds the file for longer than `timeout_s`, the disk is full, the file gone.
        """
        await asyncio.to_thread(_rewrite, self.path, timeout_s)

    async def close(self) -> None:
        """Finish what is queued and end the connections' threads. Safe to call twice."""
        if self._reader is not None:
            await self._reader.close()
        await self._writer.close()

    def _must_wait(self) -> bool:
        """Return whether a transaction of another task is open."""
        return self._turn.locked() and self._owner is not asyncio.current_task()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep the connection over several hops; what others write meanwhile is committed afterwards."""
        await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()  # first: whoever writes while this waits announces it itself
            await self._writer.announce()

    async def _script(self, sql: str) -> None:
        # Through `execute`, Python steps a statement once: incremental_vacuum then frees one page only.
        # `executescript` runs to the end, but commits what is open: hence never inside a transaction.
        async with self._alone():
            await self._writer.script(sql)

    async def _open_reader(self, busy_timeout_s: float) -> None:
        self._reader = await SqliteThread.open(self.path, timeout_s=busy_timeout_s)
        await self._reader.read_on()

    async def _prepare(self, synchronous: str, page_bytes: int) -> None:
        """Set the pragmas; page size and auto_vacuum count only before the first page is written, which WAL does."""
        await self._script(
            f"PRAGMA page_size = {page_bytes};"
            "PRAGMA auto_vacuum = INCREMENTAL;"
            "PRAGMA journal_mode = WAL;"
            f"PRAGMA synchronous = {synchronous};"
            "PRAGMA foreign_keys = ON;"
            "PRAGMA secure_delete = ON;"
        )

    async def _migrate(self, migrations: Mapping[str, str], *, keeps_copy: bool) -> None:
        hashes = {name: sha256(script.encode()).hexdigest() for name, script in migrations.items()}
        await self.write(_CREATE_MIGRATIONS)
        names = {row["name"] for row in await self.fetch("SELECT name FROM migrations")}
        unknown = {name for name in names if OLD_NAMES.get(name, name) not in migrations}
        if unknown and (refused := unknown - await self._added()):
            raise DatabaseTooNew(self.path, refused)
        if unknown:
            log.warning(
                "%s was written by a newer version of Easel, which this one goes on with (it has %s).",
                self.path.name,
                ", ".join(sorted(unknown)),
            )
        if keeps_copy and names and (ahead := [name for name in migrations if name not in names]):
            await asyncio.to_thread(keep_copy, self.path, ahead[0])
        if was_history := await is_history(self.write):
            async with self.transaction():
                await adopt(self.write, hashes)
        applied = await self._applied()
        if firsts := [(name, hashed) for name, hashed in applied.items() if is_first_form(name, hashed)]:
            async with self.transaction():
                for name, hashed in firsts:
                    await mend_first_form(self.write, name, hashed, migrations[name], hashes[name])
            applied = await self._applied()
        if changed := {name for name, hashed in applied.items() if name not in unknown and hashed != hashes.get(name)}:
            raise DatabaseForeign(self.path, changed)
        fresh = [name for name in migrations if name not in applied]
        for name in fresh:
            await self._apply(name, migrations[name], hashes[name])
        if applied and (fresh or was_history):
            log.warning(
                "%s was brought to the form of this version of Easel (%s). %s",
                self.path.name,
                ", ".join(fresh) or "its steps have numbers and hashes",
                "The version before can go on with it."
                if fresh and not was_history and all(only_adds(migrations[name]) for name in fresh)
                else "An older version can no longer open it.",
            )

    async def _applied(self) -> dict[str, str]:
        return {row["name"]: row["sha256"] for row in await self.fetch("SELECT name, sha256 FROM migrations")}

    async def _added(self) -> set[str]:
        """Return the steps in this file after which an older version can go on."""
        if not await self.fetch(ADDED_THERE):
            return set()
        return {row["name"] for row in await self.fetch(ADDED_STEPS)}

    async def _apply(self, name: str, script: str, hashed: str) -> None:
        # the record first: where another process is quicker, it is there already and nothing else of this is done
        record = f"INSERT INTO migrations VALUES ('{name}', CAST(strftime('%s', 'now') AS REAL), '{hashed}');"  # noqa: S608
        if only_adds(script):
            record += f"\n{_CREATE_ADDED};\nINSERT INTO added_steps VALUES ('{name}');"
        try:
            await self._script(f"BEGIN IMMEDIATE;\n{record}\n{script};\nCOMMIT;")
        except BaseException as error:
            await self._writer.rollback()
            known = "SELECT name FROM migrations WHERE name = ? AND sha256 = ?"
            if isinstance(error, sqlite3.IntegrityError) and await self.fetch(known, (name, hashed)):
                return
            raise


def _rewrite(path: Path, timeout_s: float) -> None:
    address = f"{path.resolve().as_uri()}?mode=rw"  # a file that is gone is not made again
    with closing(sqlite3.connect(address, timeout=timeout_s, isolation_level=None, uri=True)) as connection:
        connection.execute("UPDATE migrations SET applied_at = applied_at")
