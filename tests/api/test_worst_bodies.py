"""The worst that can be sent to every route: what it costs everybody else who is served by the same loop."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from functools import partial

import pytest
from fastapi.routing import APIRoute

from api.bodies import (
    MAX_BODY_BYTES,
    MOST_BETWEEN_BYTES,
    MOST_STRING_BYTES,
    BodyLimits,
    JsonOutline,
    TooLarge,
    read_json,
)
from api.dialects import ROUTERS as DIALECTS
from api.routes import ROUTERS
from api.routing import EaselRoute
from tests.api.conftest import NEAR, png
from tests.api.dialects import data_url
from tests.api.lag import LAG_S, lag_of

PART_BYTES = 64 * 1024  # as the server hands a body on
MIB = 1024 * 1024
WHOLE = MAX_BODY_BYTES - MIB
SHORT = 4 * MIB  # where it is refused long before: more than any route takes that has no pictures

FORM = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n%s\r\n--x--\r\n'
JSON, MULTIPART, URLENCODED = "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"


def filled(unit: bytes, size: int = WHOLE) -> bytes:
    return (unit * (size // len(unit) + 1))[:size]


def keys(number: int, value: bytes = b"1") -> bytes:
    between = f'":{value.decode()},"k'
    return f'{{"k{between.join(map(str, range(number)))}":{value.decode()}}}'.encode()


def pictures(data: bytes, *fields: str) -> bytes:
    return b'{"prompt":"a",' + b",".join(b'"%s":"%s"' % (field.encode(), data) for field in fields) + b"}"


NUMBERS = itertools.count()
CALLED = []  # each application of these tests, which share them
NAMES = ("initImage", "image", "mask", "contentImage", "styleImage", "imageUrl")
DRAWABLE = pictures(data_url(png()).encode(), *NAMES).removesuffix(b"}")
HOSTILE = {
    "2 million unknown keys": (JSON, lambda: keys(2_000_000)),
    "1.1 MB of unknown keys": (JSON, lambda: keys(90_000)),
    "as many unknown keys as pass": (JSON, lambda: keys(1_990, b'"%s"' % (b"v" * 110))),
    "keys as long as pass": (JSON, lambda: b'{"%s":1,"%s":1}' % (b"k" * 120_000, b"l" * 120_000)),
    "unknown keys in a known one": (JSON, lambda: b'{"changes":%s,"common":%s}' % (keys(900), keys(900))),
    "wrong values in every list": (
        JSON,
        lambda: b'{"loras":[%s1],"prompts":[%s1],"ids":[%s1]}' % ((b"1," * 600,) * 3),
    ),
    "a graph as full as passes": (JSON, lambda: b'{"graph":{"a":[' + b"{}," * 99_000 + b"{}]}}"),
    "long lists of wrong values": (JSON, lambda: b'{"mapping":{"a":[%s1]},"ids":[%s1]}' % ((b"1," * 90_000,) * 2)),
    "lists of nothing": (JSON, lambda: b"[" + filled(b"{},", SHORT) + b"{}]"),
    "brackets that open": (JSON, lambda: filled(b"[", SHORT)),
    "keys that nest": (JSON, lambda: filled(b'{"a":', SHORT)),
    "brackets that close": (JSON, lambda: filled(b"]", SHORT)),
    "strings side by side": (JSON, lambda: filled(b'""', SHORT)),
    "JSON of two bytes a sign": (JSON, lambda: ("[" + "1," * 500_000 + "1]").encode("utf-16")),
    "a number of 31 million digits": (JSON, lambda: filled(b"9")),
    "a long string": (JSON, lambda: b'{"prompt":"%s"}' % filled(b"a")),
    "long pictures": (JSON, lambda: pictures(filled(b"QUJD", WHOLE // len(NAMES)), *NAMES)),
    "a long unknown value": (JSON, lambda: b'%s,"x":"%s"}' % (DRAWABLE, filled(b"a b", WHOLE - MIB))),
    "a string in no script": (JSON, lambda: b'%s,"x":"%s"}' % (DRAWABLE, "狐".encode() * (WHOLE // 4))),
    "a string of escapes": (JSON, lambda: b'{"prompt":"%s"}' % filled(b"\\u0041", WHOLE // 6 * 6)),
    "a string of backslashes": (JSON, lambda: b'{"prompt":"%s"}' % filled(b"\\\\", WHOLE // 2 * 2)),
    "a string that does not end": (JSON, lambda: b'{"prompt":"' + filled(b'\\"')),
    "blanks": (JSON, lambda: filled(b" ")),
    "two strings as long as pass": (JSON, lambda: pictures(filled(b"QUJD", MOST_STRING_BYTES), *NAMES[:2])),
    "blanks as many as pass": (JSON, lambda: b'{"prompt":"a"%s}' % filled(b" ", MOST_BETWEEN_BYTES - 20)),
    "a form of a million fields": (URLENCODED, lambda: filled(b"a=1&", SHORT)),
    "a form of one field": (URLENCODED, lambda: filled(b"a", SHORT)),
    "many parts": (MULTIPART, lambda: filled(FORM % (b"a", b"1"), SHORT)),
    "a part without end": (MULTIPART, lambda: FORM[:-2] % (b"prompt", filled(b"a", SHORT))),
    "a file of line breaks": (MULTIPART, lambda: FILE % filled(b"\r\n")),
    "a file of near boundaries": (MULTIPART, lambda: FILE % filled(b"\r\n--")),
    "two large files": (MULTIPART, lambda: FILE.removesuffix(b"--x--\r\n") % filled(b"\0", 15 * MIB) + FILE % b"a"),
    "a head without end": (MULTIPART, lambda: b"--x\r\n" + filled(b"a: b\r\n", SHORT)),
    "a name without end": (MULTIPART, lambda: b"--x\r\n" + filled(b"a", SHORT)),
}


def routes_of(app) -> Iterator[APIRoute]:
    own = [route for route in app.routes if isinstance(route, APIRoute)]
    return itertools.chain(own, *(router.routes for router in (*ROUTERS, *DIALECTS)))


def calls(app) -> Iterator[tuple[str, str, int]]:
    """Every route of the application, with something at each place of its path, and how much to send to it."""
    for route in routes_of(app):
        reads_much = any(isinstance(item.call, BodyLimits) for item in route.dependant.dependencies)
        for method in sorted(route.methods):
            if route.path != "/events":  # goes on for ever
                yield method, re.sub(r"{.*?}", "abc123", route.path), MAX_BODY_BYTES if reads_much else SHORT


async def send(app, method: str, path: str, kind: str, parts: list[bytes]) -> int:
    """Send a request as the server would hand it on; return the status of the answer."""
    headers = [(b"host", b"127.0.0.1"), (b"content-type", kind.encode()), (b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "query_string": b"",
        "raw_path": path.encode(), "root_path": "", "client": NEAR, "server": ("127.0.0.1", 80),
        "headers": [*headers, (b"idempotency-key", b"%d" % next(NUMBERS))],
    }  # fmt: skip
    left, status, answered = len(parts), 0, asyncio.Event()

    async def receive():
        nonlocal left
        await asyncio.sleep(0)
        if left == 0:
            await answered.wait()
            return {"type": "http.disconnect"}
        left -= 1
        return {"type": "http.request", "body": parts[-left - 1], "more_body": left > 0}

    async def answer(message):
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif not message.get("more_body"):
            answered.set()

    task = asyncio.create_task(app(scope, receive, answer))
    answered_or_over = [asyncio.create_task(answered.wait()), task]
    await asyncio.wait(answered_or_over, return_when=asyncio.FIRST_COMPLETED)
    answered.set()
    await asyncio.gather(*answered_or_over)
    return status


def in_parts(body: bytes) -> list[bytes]:
    return [body[start : start + PART_BYTES] for start in range(0, len(body), PART_BYTES)]


def test_every_route_reads_its_body_within_limits(site):
    every = [*routes_of(site.app)]
    assert len(every) > 60
    assert [route for route in every if not isinstance(route, EaselRoute)] == []


async def call_each_once(app):
    """Let be made what an application makes at the first call, which is no body's fault."""
    if app not in CALLED:
        for method, path, _ in calls(app):
            await send(app, method, path, JSON, [b""])
        CALLED.append(app)


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_worst_body_holds_nobody_up(site, name):
    await call_each_once(site.app)
    slow = {}
    kind, make = HOSTILE[name]
    parts = in_parts(make())
    for method, path, size in calls(site.app):
        body = parts[: size // PART_BYTES]
        lag_s, status = await lag_of(partial(send, site.app, method, path, kind, body))
        assert 200 <= status < 500 or status in (502, 503), (method, path, status)
        if lag_s > LAG_S:
            slow[method, path] = round(lag_s, 3)
    assert slow == {}


def refused(text: bytes, step: int, **limits: int) -> bool:
    outline = JsonOutline(BodyLimits(bytes=1000, **limits))
    try:
        for start in range(0, len(text), step):
            outline.feed(text[start : start + step])
    except TooLarge:
        return True
    return False


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_values_and_depth_are_counted_outside_of_strings_wherever_a_part_ends(step):
    reported = rb'{"a,[{\\": "b,,[[\"[,", "c": [1, {"d": "\u005b"}]}'
    assert not refused(reported, step, values=7, depth=3)
    assert refused(reported, step, values=4, depth=3)
    assert refused(reported, step, values=7, depth=2)


@pytest.mark.parametrize("step", [1000, PART_BYTES])
def test_a_string_may_be_as_long_as_a_picture_and_between_strings_little_may_stand(step):
    picture = b"QUJD" * (MOST_STRING_BYTES // 4)
    assert not refused(b'{"a":"%s","b":"%s"}' % (picture, picture), step, values=10)
    assert refused(b'{"a":"%sQ"}' % picture, step)
    assert not refused(b'{"a":%s1}' % (b" " * (MOST_BETWEEN_BYTES - 10)), step)
    assert refused(b'{"a":%s1}' % (b" " * MOST_BETWEEN_BYTES), step)


@pytest.mark.parametrize(
    "text", [b"NaN", b"[1e999]", b'{"a":[-Infinity]}', b'"\\ud800"', b"\xff\xfe[\x00]\x00", b"[1", b"", b'{"a":1e400}']
)
def test_what_is_no_json_by_its_standard_is_not_read(text):
    with pytest.raises(ValueError):  # noqa: PT011  # whatever its words
        read_json(text)


async def test_a_body_is_read_only_of_who_may_send_it(site):
    """A read-only key is enough to make Easel read a body only where reading is all that the route does."""
    reader = await site.key_client("read")
    read = False

    async def body():
        nonlocal read
        yield b'{"prompt":'
        read = True
        yield b'"a"}'

    for path in ("/api/jobs", "/generate/text2img", "/api/images/generate", "/api/uploads"):
        answer = await reader.post(path, content=body())
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    answer = await site.visitor().post("/api/jobs", content=b'{"nonsense')
    assert answer.status_code == 401  # not 422: nobody looked


@pytest.mark.parametrize("path", ["/api/jobs", "/generate/text2img", "/api/images/generate", "/v1/images/generations"])
async def test_what_is_too_large_is_refused_in_a_sentence_in_every_form(client, path):
    large = await client.post(path, json={"prompt": "a" * 300_000})
    assert large.status_code == 413
    assert "A request may hold 256 KB here." in large.text
    full = await client.post(path, json={"prompt": "a", "x": [1] * 3000})
    assert full.status_code == 413
    assert "at most 2000" in full.text
    deep = await client.post(path, content=b"[" * 40 + b"]" * 40)
    assert deep.status_code == 413
    assert "at most 32 levels" in deep.text


async def test_a_compressed_body_is_refused_in_a_sentence(client):
    answer = await client.post("/api/jobs", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]) == (415, "Send the body as it is, not compressed.")


async def test_numbers_and_signs_that_cannot_be_said_again_are_refused_and_crash_nothing(client):
    for reply in (b'{"prompt":"a","x":NaN}', b'{"prompt":"a","x":1e999}', b'{"prompt":"a","\\ud800":"\\udfff"}'):
        for path in ("/generate/text2img", "/api/jobs", "/v1/images/generations"):
            assert (await client.post(path, content=reply)).status_code in (400, 422)
