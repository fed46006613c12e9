"""`main.py` as processes of their own, forked from one that has everything imported: to import takes a second of each.

They get signals, are killed and leave an exit code like any other; tests/test_main.py starts some from the file itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

STOP_WAIT_S = 20.0
Prepare = Callable[[], None]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["main", "cogs.bot", __name__])


class EaselProcess:
    """One run of `main.py` in a folder; what it prints is added to the file `log` there."""

    def __init__(
        self, folder: Path, argv: Sequence[str], settings: Mapping[str, str], log: str, prepare: Prepare | None = None
    ) -> None:
        """`prepare` runs in the process before `main`; it must be a function of a module."""
        self.log = folder / log
        self._process = CONTEXT.Process(target=_run, args=(folder, list(argv), dict(settings), self.log, prepare))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.pid and self.returncode is None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    async def wait(self) -> int | None:
        """Wait for its end and return the exit code."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        return self.returncode

    async def said(self) -> str:
        """Wait for its end and return what it has printed."""
        await self.wait()
        return self.log.read_text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


Begin = Callable[..., EaselProcess]


@asynccontextmanager
async def processes(folder: Path) -> AsyncIterator[Begin]:
    """Start processes in the same folder; what still runs at the end is killed."""
    started: list[EaselProcess] = []
    (folder / ".env").touch()

    def begin(*argv: str, log: str = "log", prepare: Prepare | None = None, **settings: str) -> EaselProcess:
        environ = {"PATH": os.environ["PATH"], "WEB": "false", **settings}
        started.append(EaselProcess(folder, argv, environ, log, prepare))
        return started[-1]

    try:
        yield begin
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _run(folder: Path, argv: list[str], settings: dict[str, str], log: Path, prepare: Prepare | None) -> None:
    import main

    if prepare:
        prepare()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(settings)
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(main.main(argv))
