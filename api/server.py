"""uvicorn as a task in Easel's own event loop; signals stay with `main`."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator, Sequence
from typing import Final

import uvicorn
from fastapi import FastAPI

from utils.ports import CHOOSE_ANOTHER, PortInUse

log = logging.getLogger(__name__)

BACKLOG: Final = 256
NEXT_PORTS: Final = 20  # tried after the usual one, when that is taken and was not asked for by name
KEEP_ALIVE_S: Final = 30
STOP_S: Final = 2  # what is still being sent then is cut off


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # main owns them


class WebServer:
    """Serves one app on one or more ports of one address."""

    def __init__(self, app: FastAPI, sockets: Sequence[socket.socket]) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            http="h11",
            ws="none",
        )
        self._server = _Server(config)
        self._sockets = list(sockets)
        self._task: asyncio.Task[None] | None = None

    @property
    def ports(self) -> list[int]:
        return [int(one.getsockname()[1]) for one in self._sockets]

    async def start(self) -> None:
        """Answer from now on."""
        self._task = asyncio.create_task(self._server.serve(self._sockets), name="web")
        is_up = asyncio.create_task(self._server.is_up.wait())
        await asyncio.wait({is_up, self._task}, return_when=asyncio.FIRST_COMPLETED)
        is_up.cancel()

    async def stop(self) -> None:
        """Take nothing more, finish what is being sent, close the ports."""
        self._server.should_exit = True
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
        for one in self._sockets:
            one.close()


def bind(host: str, port: int, *, is_chosen: bool, otherwise: str = "") -> socket.socket:
    """Listen on a port; where nobody chose it and it is taken, on the next free one.

    Args:
        host: an address of this machine.
        port: 0 is any free one.
        is_chosen: no other will do.
        otherwise: what its owner may do about it, besides stopping whoever has it; the usual if empty.

    Raises:
        PortInUse: it was chosen and is taken, or all are.
        OSError: the address is not one of this machine.
    """
    for number in [port] if is_chosen or port == 0 else range(port, port + NEXT_PORTS):
        try:
            return _listen(host, number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise PortInUse(port, otherwise or CHOOSE_ANOTHER)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named: only then asyncio switches off Nagle's delay, which costs 40 ms an answer
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # on Windows it would let two programs share the port
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one
