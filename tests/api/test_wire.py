"""Nonsense, and requests that could be read in two ways, over real sockets."""

import asyncio
import contextlib
import re
from itertools import product

import pytest

from tests.api.raw import GET, served, status_of

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
ABC = b"3\r\nabc\r\n0\r\n"


async def echo(scope, receive, send):
    """Answer with the method, the path, the names of the headers and the body."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if message["type"] == "http.disconnect":
        return
    names = b",".join(name for name, _ in scope["headers"])
    answer = b"%s %s %s [%s]" % (scope["method"].encode(), scope["path"].encode(), names, body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


async def answer_of(connect, *parts, until=None):
    """Send parts, each when the loop has had time for the one before; return what came, whole or to its end `until`."""
    reader, writer = await connect()
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.002)
            return await (reader.readuntil(until) if until else reader.read())
    return b""


async def answers_to(*parts, until=None):
    async with served(echo) as (_, connect):
        return await answer_of(connect, *parts, until=until)


def statuses(answer):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", answer)]


DOUBTFUL = (
    CHUNKED + b"Content-Length: 3\r\n\r\n" + ABC + b"\r\n",
    HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + ABC + b"\r\n",
    HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    HEAD + b"Content-Length: +3\r\n\r\nabc",
    HEAD + b"Content-Length: 3 3\r\n\r\nabc",
    HEAD + b"Content-Length : 3\r\n\r\nabc",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + ABC + b"\r\n",
    HEAD + b"Transfer-Encoding: identity\r\n\r\nabc",
    CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n" + ABC + b"\r\n",
    CHUNKED.replace(b"1.1", b"1.0") + b"\r\n" + ABC + b"\r\n",
    GET.replace(b"\r\n", b"\n"),
    b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    b"GET http://localhost/ HTTP/1.1\r\nHost: example.org\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/0.9\r\nHost: localhost\r\n\r\n",
    b"GET /\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"no request at all\r\n\r\n",
)
DAMAGED = (b"3\nabc\n0\n\n", b"3 \r\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"x\r\n")


async def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed():
    async with served(echo) as (_, connect):
        answers = {doubtful: await answer_of(connect, doubtful + GET) for doubtful in DOUBTFUL}
    assert {doubtful for doubtful, answer in answers.items() if statuses(answer) != [400]} == set()
    assert all(b'"error": "This is not a request as HTTP has it."' in answer for answer in answers.values())


async def test_a_body_that_is_cut_up_wrongly_ends_the_request():
    async with served(echo) as (_, connect):
        answers = [await answer_of(connect, CHUNKED + b"\r\n", damage + GET) for damage in DAMAGED]
    assert [statuses(answer) for answer in answers] == [[400]] * len(DAMAGED)


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"GET /", b"\r\n" * 10, CHUNKED + b"\r\n1;"]
)
async def test_a_head_or_the_like_without_end_is_refused_at_64_kb(begin):
    filling = b"\r\n" * 8192 if begin.startswith(b"\r\n") else b"a" * 16384
    async with served(echo) as (_, connect), asyncio.timeout(10):
        reader, writer = await connect()
        writer.write(begin + filling * 3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.03)
        writer.write(filling * 2)
        assert await status_of(reader) == 431


@pytest.mark.parametrize("line", [b"X: %b\r\n", b"%b\r\n"])
async def test_a_head_of_70_kb_is_refused_and_one_of_60_is_not(line):
    for size, is_taken in ((60_000, True), (70_000, False)):
        more = line % (b"y" * size) if b"X" in line else b"x: y\r\n" * (size // 6)
        answer = await answers_to(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + b"\r\n")
        assert statuses(answer) == [200] if is_taken else statuses(answer) in ([431], [])  # none: it was still sending


async def test_a_request_line_of_100_kb_is_refused():
    answer = await answers_to(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert statuses(answer) in ([431], [])


async def test_what_follows_a_body_is_no_header_of_its_request():
    trailer = b"X-Forwarded-For: 192.0.2.1\r\n\r\n"
    answer = await answers_to(CHUNKED + b"\r\n" + ABC + trailer, until=b"[abc]")
    assert b"POST / host,transfer-encoding [abc]" in answer
    late = await answers_to(CHUNKED + b"\r\n", ABC, trailer, until=b"[abc]")
    assert b"POST / host,transfer-encoding [abc]" in late


async def test_what_follows_a_body_has_an_end():
    assert 431 in statuses(await answers_to(CHUNKED + b"\r\n" + ABC, b"x: y\r\n" * 12_000))


async def test_two_requests_in_one_packet_are_answered_in_turn():
    answer = await answers_to(
        HEAD + b"Content-Length: 3\r\n\r\nabc" + GET.replace(b"/ ", b"/second ") + GET, until=b"GET / host []"
    )
    assert re.findall(rb"(POST|GET) (/\w*) ", answer) == [(b"POST", b"/"), (b"GET", b"/second"), (b"GET", b"/")]


async def test_what_is_no_request_is_refused_after_the_answers_to_those_before_it():
    assert statuses(await answers_to(GET + GET + b"nonsense\r\n\r\n" + GET)) == [200, 200, 400]


async def test_requests_that_nobody_waits_for_do_not_heap_up():
    assert statuses(await answers_to(GET * 300)) == [200] * 33 + [503]


async def test_nothing_is_read_while_requests_wait():
    release = asyncio.Event()

    async def held(scope, receive, send):
        await release.wait()
        await echo(scope, receive, send)

    async with served(held) as (server, connect), asyncio.timeout(10):
        reader, writer = await connect()
        writer.write(GET * 3)
        while not (opened := [item for item in server.connections if item.pipeline]):
            await asyncio.sleep(0)
        writer.write(GET * 3)
        await asyncio.sleep(0.01)
        assert len(opened[0].pipeline) == 2
        release.set()
        for _ in range(6):
            assert await status_of(reader) == 200
            await reader.readuntil(b"GET / host []")


async def test_a_request_that_asks_for_another_protocol_is_read_without_that():
    second = GET.replace(b"/ ", b"/second ")
    bodies = (b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n" + ABC + b"\r\n")
    async with served(echo) as (_, connect):
        for protocol, body in product((b"h2c", b"websocket"), bodies):
            asking = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n" + body
            for cut in (len(asking), asking.index(b"\r\n\r\n") + 4, 80):
                answer = await answer_of(connect, asking[:cut], asking[cut:] + second, until=b"GET /second host []")
                assert statuses(answer) == [200, 200]
                assert re.search(rb"POST / host,connection,\S+ \[abc\]", answer)


async def test_a_second_head_that_drips_is_not_waited_for():
    async with served(echo, head_s=0.04) as (_, connect), asyncio.timeout(10):
        reader, writer = await connect()
        writer.write(GET)
        await reader.readuntil(b"[]")
        for part in (b"GET / H", b"TTP/1.1\r\n", b"Host: localhost\r\n"):
            writer.write(part)
            await asyncio.sleep(0.01)
        assert await status_of(reader) == 408


async def test_who_goes_while_more_of_its_requests_wait_is_no_longer_answered():
    is_told = asyncio.Event()

    async def stream(scope, receive, send):
        await receive()
        if (await receive())["type"] == "http.disconnect":
            is_told.set()

    async with served(stream) as (server, connect), asyncio.timeout(10):
        _, writer = await connect()
        writer.write(GET * 3)
        while not (opened := [item for item in server.connections if item.pipeline]):
            await asyncio.sleep(0)
        opened[0].drop()
        await is_told.wait()
