"""Tests of a connection to a server: what is read and written, and how it ends."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore
import pytest

from net.stream import ENOUGH, Stream, connect

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[Stream]:
    over = asyncio.Event()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
            await over.wait()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    stream = await connect("127.0.0.1", server.sockets[0].getsockname()[1], 2.0)
    try:
        yield stream
    finally:
        over.set()
        await stream.aclose()
        server.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def test_a_read_takes_all_that_has_come_and_a_small_one_no_more_than_it_asks_for() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abcdef")

    async with connected(serve) as stream:
        assert await stream.read(2, 2.0) == b"ab"
        assert stream.get_extra_info("is_readable")
        assert await stream.read(65536, 2.0) == b"cdef"
        assert not stream.get_extra_info("is_readable")
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(65536, 0.01)


async def test_who_sends_more_than_is_read_waits_and_loses_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(12 * ENOUGH))
        writer.write_eof()

    async with connected(serve) as stream:
        async with asyncio.timeout(2):
            while stream._wire.size < ENOUGH:
                await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert stream._wire.size < 2 * ENOUGH, "no more than is waited for, and what one reading brings"
        size = 0
        while data := await stream.read(65536, 2.0):
            size += len(data)
        assert size == 12 * ENOUGH
        assert stream.get_extra_info("is_readable"), "a connection that has ended is not used again"


async def test_a_connection_that_is_torn_is_an_error_for_who_reads_and_who_writes() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with connected(serve) as stream:
        await stream.write(b"x", 2.0)
        with pytest.raises(httpcore.ReadError):
            await stream.read(65536, 2.0)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", 2.0)


async def test_who_takes_nothing_is_waited_for_as_long_as_is_allowed() -> None:
    async with connected(silent) as stream:
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(64 * ENOUGH), 0.02)


async def test_a_port_that_nobody_listens_at_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(httpcore.ConnectError):
        await connect("127.0.0.1", port, 2.0)
