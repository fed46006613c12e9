"""A connection to a server for httpcore, straight on asyncio's transports.

httpcore's own goes through anyio: each 64 kB of a picture then cost as much processor time in layers as in the reading.
Here a read takes all that has come.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore

ENOUGH: Final = 1024 * 1024  # bytes that wait to be read, then the server is not read from for a while
ALL_FROM: Final = 64 * 1024  # who asks for as much, as httpcore does, takes what there is


class Stream(httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self, transport: asyncio.Transport, wire: "_Wire") -> None:
        self._transport = transport
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, or wait for something; nothing is the end."""
        wire = self._wire
        if not wire.size and not wire.is_over:
            with _as_httpcore(httpcore.ReadTimeout, httpcore.ReadError):
                async with asyncio.timeout(timeout):
                    await wire.something()
        if not wire.size and wire.error:
            raise httpcore.ReadError(str(wire.error)) from wire.error
        return wire.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._wire.is_lost or self._transport.is_closing():
            raise httpcore.WriteError(str(self._wire.error or "closed"))
        self._transport.write(buffer)
        if self._wire.is_full:
            with _as_httpcore(httpcore.WriteTimeout, httpcore.WriteError):
                async with asyncio.timeout(timeout):
                    await self._wire.room()

    async def aclose(self) -> None:
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()  # what TLS still had to say is not waited for

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "Stream":
        loop = asyncio.get_running_loop()
        self._wire.resume()
        try:
            with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    transport = await loop.start_tls(
                        self._transport, self._wire, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            self._transport.abort()
            raise
        if transport is None:
            raise httpcore.ConnectError("closed")
        self._wire.transport = transport
        return Stream(transport, self._wire)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of a connection at rest: something unasked for, or its end
            return bool(self._wire.size) or self._wire.is_over or self._transport.is_closing()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


async def connect(host: str, port: int, timeout: float | None) -> Stream:
    """Open a connection to an address.

    Raises:
        httpcore.ConnectTimeout, httpcore.ConnectError: there is none.
    """
    with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
        async with asyncio.timeout(timeout):
            transport, wire = await asyncio.get_running_loop().create_connection(_Wire, host, port)
    return Stream(transport, wire)


class _Wire(asyncio.Protocol):
    """Bytes that have come and were not read yet, and whether more may be sent."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.size = 0
        self.is_over = self.is_lost = self.is_full = False
        self.error: Exception | None = None
        self._parts: deque[bytes] = deque()
        self._is_paused = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self.size += len(data)
        if self.size >= ENOUGH and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.is_over = True
        self._wake()
        return False  # nobody sends on to a server that has ended

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = self.is_lost = True
        self.error = exc
        self.is_full = False
        self._wake()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self._wake()

    def take(self, most: int) -> bytes:
        """Take what has come, at most so much of it where little was asked for."""
        data = self._parts.popleft() if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if len(data) > most and most < ALL_FROM:
            self._parts.append(data[most:])
            data = data[:most]
        self.size -= len(data)
        if self.size < ENOUGH:
            self.resume()
        return data

    def resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()

    async def something(self) -> None:
        """Wait until there is something to read, or never will be."""
        while not self.size and not self.is_over:
            await self._change()

    async def room(self) -> None:
        """Wait until more may be sent.

        Raises:
            OSError: the connection is gone.
        """
        while self.is_full:
            await self._change()
        if self.is_lost:
            raise self.error or ConnectionError("closed")

    async def _change(self) -> None:
        waiting = self._waiting = self._waiting or asyncio.get_running_loop().create_future()
        await asyncio.shield(waiting)

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None


@contextmanager
def _as_httpcore(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:  # an error of TLS is one
        raise broken(str(error)) from error
