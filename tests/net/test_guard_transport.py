"""The guarded transport does what httpx's own does."""

import asyncio
import gzip
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpcore
import httpx
import pytest

from backends.base import BackendConfig
from net import upgrades
from net.guard import guarded_transport, owners_transport

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"

Make = Callable[[], httpx.AsyncBaseTransport]


def _guarded() -> httpx.AsyncBaseTransport:
    return guarded_transport(BackendConfig(name="o", kind="a1111").policy)


@dataclass
class Seen:
    """Notes of a server: the head of each request, the bodies that have a length, and its connections."""

    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@asynccontextmanager
async def answering(*parts: bytes, ends: bool = True, reads: bool = True) -> AsyncIterator[tuple[str, Seen]]:
    """Answer each request with the parts; yield the address, and what was seen. `reads`: also what follows its head."""
    seen = Seen()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections.append(writer)
        seen.tasks.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen.heads.append(head)
                if reads and (length := re.search(rb"(?i)content-length: (\d+)", head)):
                    seen.bodies.append(await reader.readexactly(int(length[1])))
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                if not reads:
                    return
                if ends:
                    writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        for writer in seen.connections:
            writer.close()
        await asyncio.gather(*seen.tasks)


async def _outcome(make: Make, url: str, **options: float | None) -> tuple[type, str]:
    """Return what a request came to: the answer, or the kind of error. How that is worded is its library's own."""
    timeout = httpx.Timeout(2.0, **options)
    async with httpx.AsyncClient(transport=make(), timeout=timeout) as client:
        try:
            answer = await client.get(url)
        except Exception as error:
            return type(error), ""
    return httpx.Response, f"{answer.status_code} {answer.reason_phrase} {answer.headers.raw} {answer.content!r}"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "ends", "options", "expected"),
    [
        ((BODY,), False, {}, httpx.Response),
        ((BODY[:-3],), True, {}, httpx.RemoteProtocolError),
        ((), True, {}, httpx.RemoteProtocolError),
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), False, {}, httpx.RemoteProtocolError),
        ((), False, {"read": 0.02}, httpx.ReadTimeout),
        ((BODY[:-3],), False, {"read": 0.02}, httpx.ReadTimeout),
        ((b"HTTP/1.1 200 Fine\r\nX-A: 1\r\nb: 2\r\nX-A: 3\r\n\r\n", b"to the end"), True, {}, httpx.Response),
        ((b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",), False, {}, httpx.Response),
        ((b"HTTP/1.1 102 Processing\r\n\r\n", BODY), False, {}, httpx.Response),
        ((CHUNKED + b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"), False, {}, httpx.Response),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",), False, {}, httpx.Response),
        ((CHUNKED + b"3\r\nabc\r\n",), True, {}, httpx.RemoteProtocolError),
        ((CHUNKED + b"3\r\nabc\r\n", b"many\r\n"), False, {}, httpx.RemoteProtocolError),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,), False, {}, httpx.RemoteProtocolError),
        ((b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,), False, {}, httpx.RemoteProtocolError),
    ],
    ids=[
        "whole", "cut-off", "closed", "not-http", "silent", "stuck", "to-its-end", "empty", "hints-first", "chunked",
        "nothing",
        "chunks-cut-off", "no-chunk", "long-header", "many-headers",
    ],
)  # fmt: skip
async def test_an_answer_ends_as_with_the_transport_of_httpx(parts, ends, options, expected) -> None:
    outcomes = []
    for make in (httpx.AsyncHTTPTransport, _guarded):
        async with answering(*parts, ends=ends) as (url, _):
            outcomes.append(await _outcome(make, url, **options))
    assert outcomes[0] == outcomes[1]
    assert outcomes[1][0] is expected


async def test_a_request_is_sent_as_by_the_transport_of_httpx() -> None:
    sent = []
    for make in (httpx.AsyncHTTPTransport, _guarded):
        async with answering(BODY) as (url, seen), httpx.AsyncClient(transport=make()) as client:
            await client.post(f"{url}/a%20b?c=%C3%A9", content=b"x", headers={"X-A": "b"})
            sent.append([line for line in seen.heads[0].split(b"\r\n") if not line.startswith(b"Host")])
    assert sent[0] == sent[1]
    assert sent[1][0] == b"POST /a%20b?c=%C3%A9 HTTP/1.1"


async def test_a_connection_is_used_again() -> None:
    async with answering(BODY, ends=False) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        for _ in range(3):
            await client.get(url)
    assert (len(seen.heads), len(seen.connections)) == (3, 1)


async def test_an_answer_that_was_not_read_to_its_end_gives_its_place_back_and_ends_its_connection() -> None:
    async with answering(BODY[:-3], ends=False) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        for _ in range(30):  # more than the pool holds
            async with client.stream("GET", url) as answer:
                assert answer.status_code == 200
        assert len(seen.connections) == 30


async def test_a_read_that_is_given_up_ends_the_connection() -> None:
    async with answering(BODY[:-3], ends=False) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await client.get(url)
        await asyncio.wait_for(seen.connections[0].wait_closed(), 2)


async def test_who_reads_when_the_client_is_closed_hears_of_it() -> None:
    async with (
        answering(BODY[:-3], ends=False) as (url, _),
        httpx.AsyncClient(transport=_guarded()) as client,
        client.stream("GET", url) as answer,
    ):
        reading = asyncio.create_task(answer.aread())
        await asyncio.sleep(0.01)
        await client.aclose()
        with pytest.raises(httpx.ReadError):
            await asyncio.wait_for(reading, 1)


async def test_a_connection_that_was_closed_meanwhile_is_not_used_though_the_loop_had_no_time_to_see_it() -> None:
    may_close, is_closed = threading.Event(), threading.Event()

    def serve(server: socket.socket) -> None:
        for _ in range(2):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(BODY)
                may_close.wait(2)
            is_closed.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(2)
        serving = asyncio.create_task(asyncio.to_thread(serve, server))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        async with httpx.AsyncClient(transport=_guarded()) as client:
            await client.post(url, content=b"x")
            may_close.set()
            assert is_closed.wait(2)  # blocks the loop
            assert (await client.post(url, content=b"x")).status_code == 200
        await serving


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_is_sent_a_second_time(method: str) -> None:
    async with answering(ends=True) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.request(method, url)
    assert len(seen.heads) == 1


async def _in_parts(body: bytes) -> AsyncIterator[bytes]:
    yield body[:10]
    yield body[10:]


@pytest.mark.parametrize("make", [httpx.AsyncHTTPTransport, _guarded])
async def test_a_body_comes_as_it_was_sent(make: Make) -> None:
    body = bytes(range(256)) * 2000
    length = {"Content-Length": str(len(body))}
    async with answering(BODY, ends=False) as (url, seen), httpx.AsyncClient(transport=make()) as client:
        await client.post(url, content=body)
        await client.post(url, content=_in_parts(body), headers=length)
        await client.post(url, files={"file": body})
        await client.post(url, content=b"")
        with suppress(httpx.TransportError):  # that server knows no chunks
            await client.post(url, content=_in_parts(b"0123456789abc"), timeout=0.02)
    assert seen.bodies[:2] == [body, body]
    assert body in seen.bodies[2]
    assert [b"chunked" in head for head in seen.heads[:5]] == [False, False, False, False, True]
    assert seen.heads[5] == b"a\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n"
    assert b"content-length: 0" in seen.heads[3].lower()


@pytest.mark.parametrize("make", [httpx.AsyncHTTPTransport, _guarded])
async def test_a_body_that_nobody_takes_is_a_timeout_of_writing(make: Make) -> None:
    timeout = httpx.Timeout(2.0, write=0.05)
    async with (
        answering(reads=False) as (url, _),
        httpx.AsyncClient(transport=make(), timeout=timeout) as client,
    ):
        with pytest.raises(httpx.WriteTimeout):
            await client.post(url, content=bytes(20_000_000))


async def test_an_answer_that_comes_before_all_was_sent_is_the_answer() -> None:
    refused = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    async with answering(refused, reads=False) as (url, _), httpx.AsyncClient(transport=_guarded()) as client:
        assert (await client.post(url, content=bytes(20_000_000))).status_code == 413


@pytest.mark.parametrize("make", [httpx.AsyncHTTPTransport, _guarded])
async def test_what_came_before_a_connection_broke_is_read_also_by_who_was_away(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    came = b""
    async with (
        answering(head + b"a", b"b" * 50, ends=True) as (url, seen),
        httpx.AsyncClient(transport=make()) as client,
        client.stream("GET", url) as answer,
    ):
        await _settled(seen)
        with suppress(httpx.RemoteProtocolError):
            async for part in answer.aiter_raw():
                came += part
                await asyncio.sleep(0.01)
            came += b"it ended well"
    assert came == b"a" + b"b" * 50


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("pace", [1, 3, 9])
async def test_nothing_is_lost_when_the_reader_comes_and_goes(is_chunked: bool, pace: int) -> None:
    sent = [bytes([number]) * 50_000 for number in range(60)]
    parts = [b"c350\r\n" + part + b"\r\n" for part in sent] if is_chunked else sent
    head = CHUNKED if is_chunked else b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n"
    end = b"0\r\n\r\n" if is_chunked else b""
    came: list[bytes] = []
    async with (
        answering(head, *parts, end, ends=False) as (url, _),
        httpx.AsyncClient(transport=_guarded()) as client,
        client.stream("GET", url) as answer,
    ):
        for _ in range(50):
            await asyncio.sleep(0)
        async for part in answer.aiter_raw():
            came.append(part)
            for _ in range(50 if len(came) % pace == 0 else 0):
                await asyncio.sleep(0)
    assert b"".join(came) == b"".join(sent)


async def _settled(seen: Seen) -> None:
    """Wait until the server has closed, and the client could see it."""
    await seen.connections[0].wait_closed()
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_packed_is_unpacked_once() -> None:
    twice = gzip.compress(gzip.compress(b"a picture"))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(twice)
    async with answering(head, twice) as (url, _), httpx.AsyncClient(transport=_guarded()) as client:
        assert gzip.decompress((await client.get(url)).content) == b"a picture"
        async with client.stream("GET", url) as answer:
            assert b"".join([part async for part in answer.aiter_raw()]) == twice


async def test_cookies_are_not_kept() -> None:
    setting = BODY.replace(b"\r\n", b"\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n", 1)
    async with answering(setting, ends=False) as (url, seen):
        transport = _guarded()
        for _ in range(2):
            answer = await transport.handle_async_request(httpx.Request("GET", url))
            assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]
            await answer.aread()
        await transport.aclose()
    assert b"cookie" not in seen.heads[1].lower()


async def test_a_header_that_cannot_be_sent_is_an_error_of_ours() -> None:
    async with answering(BODY) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(url, headers={"X-Key": "a\r\nX-Other: b"})
    assert not seen.heads


async def test_a_name_and_password_in_an_address_are_for_httpx_alone() -> None:
    async with answering(BODY) as (url, seen), httpx.AsyncClient(transport=_guarded()) as client:
        await client.get(url.replace("//", "//mia:secret@"))
    assert seen.heads[0].count(b"Authorization: Basic ") == 1
    assert b"secret" not in seen.heads[0]


@pytest.mark.parametrize(("name", "is_ours"), [("http_proxy", False), ("all_proxy", False), ("no_proxy", True)])
def test_with_a_proxy_of_the_environment_httpx_goes_through_it(
    monkeypatch: pytest.MonkeyPatch, name: str, is_ours: bool
) -> None:
    for other in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.upper(), raising=False)
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert (owners_transport() is not None) is is_ours


async def test_an_owners_address_may_lead_anywhere() -> None:
    transport = owners_transport()
    assert transport is not None
    async with answering(BODY) as (url, _), httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(url.replace("127.0.0.1", "localhost"))).content == b"0123456789"


async def test_a_full_pool_is_a_timeout_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("net.guard.MAX_CONNECTIONS", 1)
    async with (
        answering(BODY[:-3], ends=False) as (url, _),
        httpx.AsyncClient(transport=_guarded(), timeout=httpx.Timeout(2.0, pool=0.02)) as client,
        client.stream("GET", url),
    ):
        with pytest.raises(httpx.PoolTimeout):
            await client.get(url)


async def test_an_upgraded_connection_hands_its_stream_over() -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    async with (
        answering(switched, b"frame", ends=False) as (url, _),
        httpx.AsyncClient(transport=_guarded()) as client,
        client.stream("GET", url, headers={"Connection": "upgrade", "Upgrade": "x"}) as answer,
    ):
        assert await answer.extensions["network_stream"].read(100, timeout=2.0) == b"frame"


def test_every_error_of_httpcore_has_one_of_httpx() -> None:
    errors = {name: kind for name, kind in vars(httpcore).items() if isinstance(kind, type)}
    errors = {name: kind for name, kind in errors.items() if issubclass(kind, Exception)}
    del errors["ConnectionNotAvailable"]  # inside of its pool only
    assert {kind: getattr(httpx, name) for name, kind in errors.items()} == upgrades._SAME_ERRORS
