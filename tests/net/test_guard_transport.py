"""The guarded transport does what httpx's own does, and asks of httpx and httpcore only what they show everybody."""

import ast
import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore
import httpx
import pytest

from backends.base import BackendConfig
from net import guard
from net.guard import guarded_transport

ROOT = Path(__file__).parent.parent.parent
SPEAKING = ("net", "backends", "services", "packages")  # the rooms that speak HTTP, or might
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"
LIBRARIES = ("httpx", "httpcore")
INTERFACES = {"httpx.AsyncBaseTransport", "httpx.AsyncByteStream", "httpx.Auth", "httpcore.AsyncNetworkBackend"}

Make = Callable[[], httpx.AsyncBaseTransport]


def _guarded() -> httpx.AsyncBaseTransport:
    return guarded_transport(BackendConfig(name="o", kind="a1111").policy)


@asynccontextmanager
async def answering(*parts: bytes, ends: bool = True) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer each request with the parts; yield the address, and the head of each request on each connection."""
    heads: list[bytes] = []
    connections: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                if ends:
                    writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()
        for writer in connections:
            writer.close()


async def _outcome(make: Make, url: str, **options: float | None) -> tuple[type, str, type | None]:
    timeout = httpx.Timeout(2.0, **options)
    async with httpx.AsyncClient(transport=make(), timeout=timeout) as client:
        try:
            answer = await client.get(url)
        except Exception as error:
            return type(error), str(error), type(error.__cause__)
    return httpx.Response, f"{answer.status_code} {answer.headers} {answer.content!r}", None


@pytest.mark.parametrize(
    ("parts", "ends", "options", "expected"),
    [
        ((BODY,), False, {}, httpx.Response),
        ((BODY[:-3],), True, {}, httpx.RemoteProtocolError),
        ((), True, {}, httpx.RemoteProtocolError),
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), False, {}, httpx.RemoteProtocolError),
        ((), False, {"read": 0.02}, httpx.ReadTimeout),
        ((BODY[:-3],), False, {"read": 0.02}, httpx.ReadTimeout),
    ],
    ids=["whole", "cut-off", "closed", "not-http", "silent", "stuck"],
)
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
        async with answering(BODY) as (url, heads), httpx.AsyncClient(transport=make()) as client:
            await client.post(f"{url}/a%20b?c=%C3%A9", content=b"x", headers={"X-A": "b"})
            sent.append([line for line in heads[0].split(b"\r\n") if not line.startswith(b"Host")])
    assert sent[0] == sent[1]
    assert sent[1][0] == b"POST /a%20b?c=%C3%A9 HTTP/1.1"


async def test_a_connection_is_used_again_also_after_an_answer_that_was_not_read_to_its_end() -> None:
    opened = []

    async def note(name: str, info: dict[str, object]) -> None:
        if name == "connection.connect_tcp.started":
            opened.append(info["host"])

    async with answering(BODY, ends=False) as (url, _), httpx.AsyncClient(transport=_guarded()) as client:
        for _ in range(3):
            await client.get(url, extensions={"trace": note})
        assert len(opened) == 1
        for _ in range(30):  # more than the pool holds: each that is left gives its place back
            async with client.stream("GET", url, extensions={"trace": note}) as answer:
                assert answer.status_code == 200
        assert len(opened) == 30


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
    assert {kind: getattr(httpx, name) for name, kind in errors.items()} == guard._SAME_ERRORS


def _offences(source: str) -> Iterator[str]:
    """Yield what a file takes of httpx and httpcore that they do not show: private names, and insides of a base."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            yield from (
                f"imports {'.'.join((module, *names))}"
                for module in modules
                if module.startswith(LIBRARIES) and any(part.startswith("_") for part in [*module.split("."), *names])
            )
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                yield f"takes {ast.unparse(node)}"
        elif isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases if ast.unparse(base).startswith(LIBRARIES)}
            yield from (f"{node.name} derives from {base}" for base in sorted(bases - INTERFACES))


def test_no_private_attribute_of_httpx_or_httpcore_is_used() -> None:
    """Allow only bases that are made to be derived from: in any other, `self._x` may be theirs."""
    files = [path for room in SPEAKING for path in sorted((ROOT / room).rglob("*.py"))]
    found = {
        str(path.relative_to(ROOT)): offences
        for path in files
        if any(library in (source := path.read_text(encoding="utf-8")) for library in LIBRARIES)
        and (offences := list(_offences(source)))
    }
    assert found == {}
    assert any(path.name == "guard.py" for path in files)


@pytest.mark.parametrize(
    "source",
    [
        "from httpx._config import create_ssl_context",
        "from httpcore import _async",
        "import httpx._transports.default",
        "client._transport = None",
        "class A(httpx.AsyncHTTPTransport):\n    def f(self):\n        self._pool = None",
    ],
)
def test_a_private_attribute_of_theirs_is_found(source: str) -> None:
    assert list(_offences(source)) != []
