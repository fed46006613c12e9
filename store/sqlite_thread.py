"""One aiosqlite connection, whose thread alone uses it: whatever is asked of it runs in the order it was asked.

Units of statements that wait for the thread are committed together: an fsync takes 5 to 30 ms on many disks, whatever
it covers. Why, and what that may not change: `docs/decisions/095-commits-together.md`.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiosqlite

from lazy import dataclass

Row = sqlite3.Row
Params = Iterable[Any] | Mapping[str, Any]

MOST_TOGETHER: Final = 200  # units: who came first does not wait for thousands that came after
SLOW_S: Final = 0.004  # where a commit takes longer, it is worth a moment's wait for what comes along ...
GATHER: Final = 0.1  # ... of this share of it ...
GATHER_S: Final = 0.003  # ... and at most so long


NOT_UTF_8: Final = "Could not decode"  # no text: so a message of `sqlite3` begins


class NothingThere(Exception):
    """The condition of a unit of statements no longer holds; nothing of it is done."""


class ConnectionClosed(ValueError):
    """It is closed: nothing can be asked of it any more."""


class Must(NamedTuple):
    """A `Write` that must return a row: where there is none, nothing of its unit is done, and `refusal` says why."""

    sql: str
    params: Params
    refusal: type[NothingThere] = NothingThere


Write = tuple[str, Params] | Must  # a statement that somebody else commits, with others


@dataclass(frozen=True)
class Unit:
    """Statements that are done together or not at all. `is_lax`: a power cut may lose them, see `Database.write`."""

    writes: Sequence[Write]
    is_lax: bool
    done: asyncio.Future[list[Row]]  # the rows of the last statement


class SqliteThread:
    """Build it with `SqliteThread.open`. Every call is queued before its caller first gives way."""

    def __init__(self, connection: aiosqlite.Connection, units: "Units") -> None:
        self._connection = connection
        self._units = units
        self._is_open = True

    @classmethod
    async def open(cls, path: Path, *, timeout_s: float, is_full: bool = False) -> "SqliteThread":
        """Connect. `is_full`: its commits are synced to the disk, so lax ones may do without.

        Raises:
            sqlite3.Error: it cannot be opened.
        """
        units = Units(is_full=is_full)
        factory = partial(_Connection, units)
        connection = await aiosqlite.connect(path, isolation_level=None, timeout=timeout_s, factory=factory)
        connection.row_factory = Row
        connection.text_factory = _readable
        return cls(connection, units)

    async def read_on(self) -> None:
        """From now on do nothing but read: half the time for many rows, until a text turns up that is not UTF-8."""
        await self.rows("PRAGMA query_only = ON")
        self._connection.text_factory = str

    async def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """Run one statement by itself; it is run even where nobody waits for it any more.

        Raises:
            ConnectionClosed: it is closed.
        """
        self._check_open()
        try:
            return [*await self._connection.execute_fetchall(sql, params)]
        except sqlite3.OperationalError as error:
            if self._connection.text_factory is not str or not str(error).startswith(NOT_UTF_8):
                raise
        self._connection.text_factory = _readable
        return [*await self._connection.execute_fetchall(sql, params)]

    async def rollback(self) -> None:
        self._check_open()
        await self._connection.rollback()

    async def script(self, sql: str) -> None:
        self._check_open()
        await self._connection.executescript(sql)

    async def add(self, writes: Sequence[Write], *, is_lax: bool, announces: bool) -> list[Row]:
        """Add a unit to those that are committed next, and wait for it; `announces` False: at the next `announce`."""
        self._check_open()
        unit = Unit(writes, is_lax, asyncio.get_running_loop().create_future())
        self._units.waiting.append(unit)
        try:
            if announces:
                await self.announce()
            return await unit.done
        finally:
            unit.done.cancel()  # it is done all the same; nobody hears of it any more

    async def announce(self) -> None:
        """Commit the units that wait, after what was asked before."""
        if self._units.waiting and not self._units.is_announced:
            self._units.is_announced = True
            await self._connection.commit()

    async def close(self) -> None:
        """Finish what was asked, close the connection and end the thread. Safe to call twice."""
        if self._is_open:
            self._is_open = False
            await self.announce()
            await self._connection.close()

    def _check_open(self) -> None:
        if not self._is_open:
            raise ConnectionClosed("the connection is closed")  # no text: for a log


class Units:
    """The units that wait for a connection, and how it commits them: all but `waiting` is its thread's."""

    def __init__(self, *, is_full: bool) -> None:
        self.waiting: deque[Unit] = deque()
        self.is_announced = False  # the thread will look at `waiting` before anything that is asked from now on
        self._is_full = is_full
        self._sync_s = 0.0  # how long a commit takes, of late
        self._connection: sqlite3.Connection

    def commit_all(self, connection: sqlite3.Connection) -> None:
        """Commit what waits now, and tell those who wait for it; they hear of errors, too."""
        self._connection = connection
        self.is_announced = False  # before the look: what is added after it is announced again
        left = len(self.waiting)
        while left > 0:
            if self._sync_s > SLOW_S:
                time.sleep(min(GATHER_S, self._sync_s * GATHER))
            units = [self.waiting.popleft() for _ in range(min(len(self.waiting), MOST_TOGETHER))]
            left -= len(units)
            is_lax = self._is_full and all(unit.is_lax for unit in units)
            outcomes = self._commit_lax(units) if is_lax else self._commit_timed(units)
            _tell([(unit.done, outcome) for unit, outcome in zip(units, outcomes, strict=True)])

    def rows_now(self, sql: str, params: Params = ()) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()  # type: ignore[arg-type]

    def _commit_lax(self, units: list[Unit]) -> list[list[Row] | BaseException]:
        self.rows_now("PRAGMA synchronous = NORMAL")
        try:
            return self._commit(units)
        finally:
            self.rows_now("PRAGMA synchronous = FULL")

    def _commit_timed(self, units: list[Unit]) -> list[list[Row] | BaseException]:
        began = time.monotonic()
        outcomes = self._commit(units)
        self._sync_s += (time.monotonic() - began - self._sync_s) / 4
        return outcomes

    def _commit(self, units: list[Unit]) -> list[list[Row] | BaseException]:
        return self._commit_together(units) if len(units) > 1 else [self._commit_alone(units[0])]

    def _commit_together(self, units: list[Unit]) -> list[list[Row] | BaseException]:
        """Commit units in one transaction; one that fails is undone alone."""
        try:
            self.rows_now("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # another process holds the file: all have waited for it
            return [error] * len(units)
        try:
            outcomes = [self._in_savepoint(unit) for unit in units]
            self.rows_now("COMMIT")
        except BaseException:  # SQLite gave the whole transaction up: each is tried by itself
            self._connection.rollback()
            return [self._commit_alone(unit) for unit in units]
        return outcomes

    def _in_savepoint(self, unit: Unit) -> list[Row] | BaseException:
        self.rows_now("SAVEPOINT UNIT")
        try:
            rows = self._run_unit(unit)
        except Exception as error:
            if not self._connection.in_transaction:
                raise
            self.rows_now("ROLLBACK TO UNIT")
            self.rows_now("RELEASE UNIT")
            return error
        self.rows_now("RELEASE UNIT")
        return rows

    def _commit_alone(self, unit: Unit) -> list[Row] | BaseException:
        try:
            if len(unit.writes) == 1:
                return self._run_unit(unit)  # a statement is a transaction by itself
            self.rows_now("BEGIN IMMEDIATE")
            rows = self._run_unit(unit)
            self.rows_now("COMMIT")
        except BaseException as error:
            self._connection.rollback()  # does nothing where there is none
            return error
        return rows

    def _run_unit(self, unit: Unit) -> list[Row]:
        rows: list[Row] = []
        for write in unit.writes:
            rows = self.rows_now(write[0], write[1])
            if not rows and isinstance(write, Must):
                raise write.refusal
        return rows


class _Connection(sqlite3.Connection):
    """A connection whose commit is that of the units: aiosqlite calls it in the thread, in its turn."""

    def __init__(self, units: Units, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._units = units

    def commit(self) -> None:
        self._units.commit_all(self)


def _tell(outcomes: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        outcomes[0][0].get_loop().call_soon_threadsafe(_settle, outcomes)


def _settle(outcomes: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _readable(text: bytes) -> str:
    """Read a column of text; what SQLite's JSON functions made of half a character is replaced, not fatal."""
    return text.decode("utf-8", "replace")
