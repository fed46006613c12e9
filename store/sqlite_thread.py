"""One sqlite3 connection and the thread that alone uses it: whatever is asked of it runs in the order it was asked.

Units of statements that wait for the thread are committed together: an fsync takes 5 to 30 ms on many disks, whatever
it covers. Why, and what that may not change: `docs/decisions/095-commits-together.md`.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")
Row = sqlite3.Row
Params = Iterable[Any] | Mapping[str, Any]

MOST_TOGETHER: Final = 200  # units: who came first does not wait for thousands that came after
SLOW_S: Final = 0.004  # where a commit takes longer, it is worth a moment's wait for what comes along ...
GATHER: Final = 0.1  # ... of this share of it ...
GATHER_S: Final = 0.003  # ... and at most so long


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

    def __init__(self, *, is_full: bool = False) -> None:
        """`is_full`: its commits are synced to the disk, so lax ones may do without."""
        self._is_full = is_full
        self._asked: SimpleQueue[Callable[[], bool]] = SimpleQueue()
        self._units: deque[Unit] = deque()
        self._is_announced = False  # the thread will look at `_units` before anything that is asked of it from now on
        self._is_open = True
        self._sync_s = 0.0  # how long a commit takes, of late
        self._connection: sqlite3.Connection
        Thread(target=self._work, name="sqlite", daemon=True).start()

    @classmethod
    async def open(cls, path: Path, *, timeout_s: float, is_full: bool = False) -> "SqliteThread":
        """Connect.

        Raises:
            sqlite3.Error: it cannot be opened.
        """
        thread = cls(is_full=is_full)
        try:
            await thread.run(thread._connect, path, timeout_s)
        except BaseException:
            await thread.close()
            raise
        return thread

    def run(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        """Call `work` there; the result is there even where nobody waits for it any more.

        Raises:
            ConnectionClosed: it is closed.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def call() -> bool:
            try:
                result = work(*args)
            except BaseException as error:
                _tell(loop, [(future, error)])
            else:
                _tell(loop, [(future, result)])
            return True

        self._asked.put(call)
        return future

    def rows(self, sql: str, params: Params = ()) -> asyncio.Future[list[Row]]:
        """Run one statement by itself."""
        return self.run(self.rows_now, sql, params)

    def rollback(self) -> asyncio.Future[None]:
        return self.run(lambda: self._connection.rollback())

    def script(self, sql: str) -> asyncio.Future[sqlite3.Cursor]:
        return self.run(lambda: self._connection.executescript(sql))

    def add(self, writes: Sequence[Write], *, is_lax: bool, announces: bool) -> asyncio.Future[list[Row]]:
        """Add a unit to those that are committed next; `announces` False: at the next `announce`."""
        self._check_open()
        unit = Unit(writes, is_lax, asyncio.get_running_loop().create_future())
        self._units.append(unit)
        if announces:
            self.announce()
        return unit.done

    def announce(self) -> None:
        """Let the thread commit the units that wait, after what was asked of it before."""
        if self._units and not self._is_announced:
            self._is_announced = True
            loop = asyncio.get_running_loop()
            self._asked.put(lambda: self._commit_all(loop))

    async def close(self) -> None:
        """Finish what was asked, close the connection and end the thread. Safe to call twice."""
        if self._is_open:
            self.announce()
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._asked.put(lambda: self._end(loop, future))
            self._is_open = False
            await future

    def _check_open(self) -> None:
        if not self._is_open:
            raise ConnectionClosed("the connection is closed")  # no text: for a log

    def _work(self) -> None:
        while self._asked.get()():
            pass

    def _end(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> bool:
        if connection := getattr(self, "_connection", None):
            connection.close()
        _tell(loop, [(future, None)])
        return False

    def _connect(self, path: Path, timeout_s: float) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=timeout_s)
        self._connection.row_factory = Row
        self._connection.text_factory = _readable

    def rows_now(self, sql: str, params: Params) -> list[Row]:
        """Run one statement; in the thread itself only."""
        return self._connection.execute(sql, params).fetchall()  # type: ignore[arg-type]

    def _commit_all(self, loop: asyncio.AbstractEventLoop) -> bool:
        self._is_announced = False  # before the look: what is added after it is announced again
        while self._units:
            if self._sync_s > SLOW_S:
                time.sleep(min(GATHER_S, self._sync_s * GATHER))
            units = [self._units.popleft() for _ in range(min(len(self._units), MOST_TOGETHER))]
            is_lax = self._is_full and all(unit.is_lax for unit in units)
            outcomes = self._commit_lax(units) if is_lax else self._commit_timed(units)
            _tell(loop, [(unit.done, outcome) for unit, outcome in zip(units, outcomes, strict=True)])
        return True

    def _commit_lax(self, units: list[Unit]) -> list[list[Row] | BaseException]:
        self.rows_now("PRAGMA synchronous = NORMAL", ())
        try:
            return self._commit(units)
        finally:
            self.rows_now("PRAGMA synchronous = FULL", ())

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
            self.rows_now("BEGIN IMMEDIATE", ())
        except sqlite3.Error as error:  # another process holds the file: all have waited for it
            return [error] * len(units)
        try:
            outcomes = [self._in_savepoint(unit) for unit in units]
            self.rows_now("COMMIT", ())
        except BaseException:  # SQLite gave the whole transaction up: each is tried by itself
            self._connection.rollback()
            return [self._commit_alone(unit) for unit in units]
        return outcomes

    def _in_savepoint(self, unit: Unit) -> list[Row] | BaseException:
        self.rows_now("SAVEPOINT UNIT", ())
        try:
            rows = self._run_unit(unit)
        except Exception as error:
            if not self._connection.in_transaction:
                raise
            self.rows_now("ROLLBACK TO UNIT", ())
            self.rows_now("RELEASE UNIT", ())
            return error
        self.rows_now("RELEASE UNIT", ())
        return rows

    def _commit_alone(self, unit: Unit) -> list[Row] | BaseException:
        try:
            if len(unit.writes) == 1:
                return self._run_unit(unit)  # a statement is a transaction by itself
            self.rows_now("BEGIN IMMEDIATE", ())
            rows = self._run_unit(unit)
            self.rows_now("COMMIT", ())
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


def _tell(loop: asyncio.AbstractEventLoop, outcomes: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_settle, outcomes)


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
