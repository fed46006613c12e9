"""Connections that say nothing, little or too slowly, on real sockets."""

import asyncio
import contextlib
import errno
import logging

import pytest

from api.connections import ConnectionLimits, OpenConnections
from api.server import WebServer
from tests.api.lag import LAG_S, longest_stretch
from tests.api.raw import GET, app, served, status_of
from utils import open_files

LARGE = 8 * 1024 * 1024


async def large(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(LARGE // 65536):
        await send({"type": "http.response.body", "body": b"\0" * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def ask(connect, **how):
    reader, writer = await connect(**how)
    with contextlib.suppress(ConnectionError):
        writer.write(GET)
        return await status_of(reader)
    return None


async def test_who_says_nothing_makes_room_for_who_asks():
    async with served(total=8) as (server, connect):
        for _ in range(40):
            await connect()
        assert await ask(connect) == 200
        assert len(server.connections) <= 8


async def test_who_waits_for_an_answer_keeps_its_place():
    release = asyncio.Event()

    async def waiting(scope, receive, send):
        await app({**scope, "app_release": release}, receive, send)

    async with served(waiting, total=4) as (_, connect):
        waits = [await connect() for _ in range(4)]
        for _, writer in waits:
            writer.write(GET.replace(b"/ ", b"/slow "))
        async with asyncio.timeout(10):
            while await ask(connect) != 503:  # until all four are being answered
                pass
        release.set()
        assert [await status_of(reader) for reader, _ in waits] == [200] * 4


async def test_an_address_has_its_own_share_and_one_that_many_come_from_has_none():
    async with served(per_address=2, shared=()) as (server, connect):
        for _ in range(10):
            await connect("127.0.0.2")
        assert await ask(connect, source="127.0.0.3") == 200
        assert len(server.connections) <= 4
    async with served(per_address=2, shared=["127.0.0.0/8"]) as (server, connect):
        for _ in range(10):
            await connect("127.0.0.2")
        assert await ask(connect, source="127.0.0.2") == 200
        assert len(server.connections) >= 10


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\n", GET + b"GET / HT"])
async def test_a_head_that_does_not_come_is_not_waited_for(begin):
    async with served(head_s=0.04) as (server, connect):
        reader, writer = await connect()
        writer.write(begin)
        async with asyncio.timeout(10):
            reply = await reader.read()
        assert b"408" in reply
        assert reply.count(b" 200 ") == begin.count(GET)
        assert len(server.connections) == 0


async def test_a_head_that_drips_is_not_waited_for_either():
    async with served(head_s=0.05) as (_, connect):
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\n")

        async def drip():
            while True:
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.005)

        dripping = asyncio.create_task(drip())
        assert await status_of(reader) == 408
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_request_that_takes_longer_than_a_head_may_is_answered():
    release = asyncio.Event()

    async def waiting(scope, receive, send):
        await app({**scope, "app_release": release}, receive, send)

    async with served(waiting, head_s=0.02) as (_, connect):
        reader, writer = await connect()
        writer.write(GET.replace(b"/ ", b"/slow "))
        await asyncio.sleep(0.05)
        release.set()
        assert await status_of(reader) == 200


async def test_who_does_not_read_what_it_asked_for_is_left():
    async with served(large, write_s=0.05) as (server, connect):
        _, writer = await connect()
        writer.transport.pause_reading()
        writer.write(GET)
        async with asyncio.timeout(10):
            while not len(server.connections):
                await asyncio.sleep(0.002)
            while len(server.connections):
                await asyncio.sleep(0.002)


async def test_that_no_file_is_left_is_said_once(caplog):
    async with served() as (_, _connect):
        loop = asyncio.get_running_loop()
        error = OSError(errno.EMFILE, "Too many open files")
        with caplog.at_level(logging.ERROR):
            for _ in range(300):
                loop.call_exception_handler(
                    {"message": "socket.accept() out of system resource", "exception": error, "socket": None}
                )
            loop.call_exception_handler({"message": "something else"})
    assert len(caplog.records) == 2
    assert "ulimit -n" in caplog.records[0].getMessage()


def test_few_open_files_leave_room_for_engines_and_for_what_is_accepted_at_once(monkeypatch):
    monkeypatch.setattr("api.server.raise_open_files", lambda: 1024)
    assert WebServer(app, []).connections.limits.total <= 1024 - 3 * 128 - 200


class Taken:
    """A connection as the registry sees it."""

    def __init__(self):
        self.is_dropped = False

    def drop(self):
        self.is_dropped = True


def test_the_longest_without_a_request_goes_first_and_busy_ones_never():
    connections = OpenConnections(ConnectionLimits(total=3))
    first, second, third, fourth = (Taken() for _ in range(4))
    for item in (first, second, third):
        assert connections.admit(item, "203.0.113.1")
    connections.mark(first, is_idle=False)
    connections.mark(first, is_idle=True)  # it has just been answered: the others wait longer
    connections.mark(second, is_idle=False)
    assert connections.admit(fourth, "203.0.113.2")
    assert [item.is_dropped for item in (first, second, third)] == [False, False, True]


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(monkeypatch):
    resource = pytest.importorskip("resource")
    now = [256, 4096]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: now.__setitem__(slice(None), wanted))
    assert open_files.raise_open_files() == 4096
    now[:] = [256, resource.RLIM_INFINITY]
    assert open_files.raise_open_files() == open_files.MOST_FILES


async def reads_all(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await app({**scope, "path": "/"}, receive, send)


async def test_a_body_in_chunks_of_one_byte_holds_nobody_up():
    async with served(reads_all) as (_, connect):
        reader, writer = await connect()
        writer.write(GET.replace(b"GET", b"POST").removesuffix(b"\r\n") + b"Transfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n")
        lag_s, status = await longest_stretch(status_of(reader))
    assert status == 200
    assert lag_s < LAG_S


async def test_nonsense_is_refused_and_fills_no_log(caplog):
    async with served() as (_, connect):
        for _ in range(20):
            reader, writer = await connect()
            writer.write(b"\x16\x03\x01\r\n\r\n")
            assert await status_of(reader) == 400
    assert caplog.records == []
