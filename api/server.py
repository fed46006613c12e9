"""uvicorn as a task in Easel's own event loop; signals stay with `main`."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from api.connections import ConnectionLimits, OpenConnections, protocol_of
from api.context import Web
from api.sockets import BACKLOG
from utils.clock import SystemClock
from utils.loops import Loops
from utils.open_files import raise_open_files

log = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 30
# Left for engines, databases and pictures, and for what asyncio accepts (BACKLOG a turn) before we see the first of it.
OTHER_FILES: Final = 256 + 3 * BACKLOG
SAY_AGAIN_S: Final = 60.0
OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
STOP_S: Final = 2  # what is still being sent then is cut off


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, is_tried: asyncio.Event) -> None:
        super().__init__(config)
        self._is_tried = is_tried

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._is_tried.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # main owns them


class WebServer:
    """Serves one app on one or more ports of one address."""

    def __init__(
        self,
        app: FastAPI,
        sockets: Sequence[socket.socket],
        limits: ConnectionLimits | None = None,
        loops: Loops | None = None,
    ) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of every line of nonsense that is sent
        self._app = app
        self._files = raise_open_files()
        limits = limits or ConnectionLimits()
        self.connections = OpenConnections(replace(limits, total=self._possible(limits.total)))
        self._config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            http=protocol_of(self.connections),
            ws="none",
            backlog=BACKLOG,
        )
        self._server: _Server | None = None
        self._sockets = list(sockets)
        self._loops = loops or Loops(SystemClock())
        self._is_tried = asyncio.Event()
        self._complaints = _Complaints()

    def _possible(self, total: int) -> int:
        return min(total, max(self._files // 4, self._files - OTHER_FILES))

    @property
    def ports(self) -> list[int]:
        return [int(item.getsockname()[1]) for item in self._sockets]

    def use(self, web: Web, *, total: int, per_address: int) -> None:
        """Answer with other settings from now on; who is connected already stays."""
        self._app.state.web = web
        limits = replace(self.connections.limits, total=self._possible(total), per_address=per_address)
        self.connections.limits = limits

    async def start(self) -> None:
        """Answer from now on."""
        self._complaints.watch(asyncio.get_running_loop())
        self._loops.start("web", self._serve, may_end=True)
        await self._is_tried.wait()

    async def stop(self) -> None:
        """Take nothing more, finish what is being sent, close the ports."""
        if self._server:
            self._server.should_exit = True
        for item in self._sockets:
            item.close()
        await self._loops.finish("web")
        self._complaints.leave()

    async def _serve(self) -> None:
        """Serve until `stop`, or until a fault: the next run begins on the same ports."""
        copies = [item.dup() for item in self._sockets]  # which a server closes when it ends, however that comes
        self._server = server = _Server(self._config, self._is_tried)
        try:
            await server.serve(copies)
        finally:
            self._is_tried.set()
            for listener in getattr(server, "servers", ()):  # there are none before it has begun
                listener.close()
            for copy in copies:
                copy.close()


class _Complaints:
    """Says once a minute that no more connections can be taken; the loop would say so hundreds of times a second."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: Any = None
        self._quiet_until = 0.0

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._before = loop, loop.get_exception_handler()
        loop.set_exception_handler(self._handle)

    def leave(self) -> None:
        if self._loop and self._loop.get_exception_handler() == self._handle:
            self._loop.set_exception_handler(self._before)

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in OUT_OF_FILES and "accept" in context.get("message", "")):
            (self._before or type(loop).default_exception_handler)(loop, context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + SAY_AGAIN_S
            log.error(
                "no more connections can be taken: %s. Raise the limit of open files (ulimit -n).",
                error.strerror,
                extra={"action": "connections_full"},
            )
