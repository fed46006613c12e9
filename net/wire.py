"""HTTP as httpx asks for it, over the connections of aiohttp: see `docs/decisions/105-the-wire-is-aiohttps.md`.

Only what aiohttp shows everybody is used. It follows nothing, unpacks nothing, keeps no cookies and sends nothing twice
here: that is for httpx, and for us.
"""

import asyncio
import functools
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

KEEP_ALIVE_S = 15.0  # under the shortest idle limit of the usual proxies, so that no stale socket is reused
BUFFER_BYTES: Final = 256 * 1024  # of what has come and is not read yet; about twice that at most
PARTS_AHEAD: Final = 8
PART_BYTES: Final = 64 * 1024  # of what is sent; a body of one part goes at once
MAX_LINE_BYTES: Final = 32 * 1024  # of a head, which has 128 of them at most

# Returns the addresses of a name that may be connected to; raises errors of httpx, or ours.
LookUp = Callable[[str, int], Awaitable[tuple[str, ...]]]
Trust = Callable[[], ssl.SSLContext]

_UNASKED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # aiohttp would add them
_SAME_ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (  # the first that fits
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (Exception, httpx.ReadError),
)


class Wire(httpx.AsyncBaseTransport):
    """Connections to any server.

    Args:
        look_up: DNS; an address in a URL is connected to as it is.
        trust: the authorities for https; asked in a thread, when there is such a URL.
        most: connections at a time.
    """

    def __init__(self, look_up: LookUp, trust: Trust, most: int) -> None:
        self._names = _Names(look_up)
        self._trust = trust
        self._trusted: ssl.SSLContext | None = None
        self._places = asyncio.Semaphore(most)
        self._open: set[aiohttp.ClientResponse] = set()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        times = request.extensions.get("timeout", {})
        await self._take_place(times.get("pool"))
        try:
            answer = await self._asked(request, times)
        except BaseException:
            self._places.release()
            raise
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode("latin-1", "replace")}
        self._open.add(answer)
        body = _Body(answer, functools.partial(self._end, answer))
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=body, extensions=extensions)

    async def aclose(self) -> None:
        for answer in self._open:
            answer.close()  # whoever reads it hears of it; of the end of a session he would not
        if self._session is not None:
            await self._session.close()

    def _end(self, answer: aiohttp.ClientResponse) -> None:
        answer.close()
        self._open.discard(answer)
        self._places.release()

    async def _take_place(self, seconds: float | None) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are in use") from error  # no text: for the log

    async def _asked(self, request: httpx.Request, times: dict[str, float | None]) -> aiohttp.ClientResponse:
        sent: dict[str, Any] = {
            "headers": _headers_of(request),
            "timeout": aiohttp.ClientTimeout(
                total=None, connect=times.get("connect"), sock_connect=times.get("connect"), sock_read=times.get("read")
            ),
        }
        if request.url.scheme == "https":
            self._trusted = self._trusted or await asyncio.to_thread(self._trust)
            sent["ssl"] = self._trusted
        for __ in range(2):  # until the loop has seen which of the kept connections were closed meanwhile
            await asyncio.sleep(0)
        try:
            ask, url = self._opened().request, _url_of(request)
            if isinstance(request.stream, httpx.ByteStream) and len(whole := await request.aread()) <= PART_BYTES:
                return await ask(request.method, url, data=whole or None, allow_redirects=False, **sent)
            async with _Upload(request.stream, times.get("write")) as upload:
                return await ask(request.method, url, data=aiter(upload), allow_redirects=False, **sent)
        except aiohttp.ClientError as error:
            raise _same(error) from error
        except ValueError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, which can only be made while a loop runs."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._names, use_dns_cache=False, limit=0, keepalive_timeout=KEEP_ALIVE_S
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_UNASKED,
                read_bufsize=BUFFER_BYTES,
                max_line_size=MAX_LINE_BYTES,
                max_field_size=MAX_LINE_BYTES,
                middlewares=(_once,),
            )
        return self._session


class _Body(httpx.AsyncByteStream):
    """The body of one answer. Closing it gives the place back, and ends the connection if there was more to read.

    When a connection breaks, aiohttp drops what came before and was not read yet. So whoever takes a part and goes away
    with it has the next ones read meanwhile.
    """

    def __init__(self, answer: aiohttp.ClientResponse, end: Callable[[], None]) -> None:
        self._content = answer.content
        self._is_chunked = "Transfer-Encoding" in answer.headers
        self._end: Callable[[], None] | None = end
        self._ahead: deque[bytes | Exception] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._is_over = False  # the last of what was read ahead is the end, or an error
        self._away = asyncio.get_running_loop().call_soon(self._begin_reading_ahead)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        self._away.cancel()
        while part := await self._next():
            self._away = loop.call_soon(self._begin_reading_ahead)
            yield part
            self._away.cancel()

    async def aclose(self) -> None:
        if self._end is not None:
            self._away.cancel()
            if self._reading is not None:
                self._reading.cancel()
            self._end()
            self._end = None

    async def _next(self) -> bytes:
        if not self._ahead and self._reading is not None:
            self._reading.cancel()  # it only waits, or is through
            await asyncio.wait([self._reading])
            self._reading = None
        if not self._ahead:
            return await self._part()
        found = self._ahead.popleft()
        if isinstance(found, Exception):
            raise found
        return found

    async def _part(self) -> bytes:
        try:
            # parts that are none of its chunks need not be put together
            return await self._content.readany() if self._is_chunked else (await self._content.readchunk())[0]
        except (aiohttp.ClientError, RuntimeError) as error:
            raise _same(error) from error

    def _begin_reading_ahead(self) -> None:
        is_reading = self._reading is not None and not self._reading.done()
        if is_reading or self._is_over or len(self._ahead) >= PARTS_AHEAD:
            return
        if self._content.exception() is None and (part := self._content.read_nowait()):
            self._ahead.append(part)
        self._reading = asyncio.create_task(self._read_ahead())

    async def _read_ahead(self) -> None:
        """Read until there is enough, or no more. Nothing is waited for with a part in hand: it may be cancelled."""
        try:
            while len(self._ahead) < PARTS_AHEAD and not self._is_over:
                part = await self._part()
                self._ahead.append(part)
                self._is_over = not part
        except httpx.TransportError as error:
            self._ahead.append(error)
            self._is_over = True


class _Upload:
    """A body that is sent in parts, each of which has to leave within a time."""

    def __init__(self, stream: Any, seconds: float | None) -> None:
        self._stream = stream
        self._seconds = seconds
        self._watch: asyncio.Timeout | None = None

    async def __aenter__(self) -> "_Upload":
        self._watch = await asyncio.timeout(None).__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        watch, self._watch = self._watch, None
        assert watch is not None
        try:
            await watch.__aexit__(*raised)
        except TimeoutError as error:
            raise httpx.WriteTimeout("nothing could be sent") from error  # no text: for the log

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        async for part in self._stream:
            for begin in range(0, len(part), PART_BYTES):
                self._allow(self._seconds)
                yield memoryview(part)[begin : begin + PART_BYTES]
        self._allow(None)

    def _allow(self, seconds: float | None) -> None:
        if self._watch is not None:  # there is no answer yet
            self._watch.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)


class _Names(AbstractResolver):
    """Leads aiohttp to the addresses that a look-up returns, and nowhere else."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._look_up(host, port)
        ]

    async def close(self) -> None:
        pass


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Let no request be sent a second time: aiohttp would after errors of its own that look like a lost connection."""
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise _same(error) from error


def _same(error: Exception) -> httpx.TransportError:
    """Return the error of httpx that means the same."""
    return next(same for kind, same in _SAME_ERRORS if isinstance(error, kind))(str(error))


def _url_of(request: httpx.Request) -> URL:
    """Return the same address, to the letter, without a user's name and password.

    Raises:
        aiohttp.InvalidURL: it would lead to another server.
    """
    asked = request.url
    url = URL(f"{asked.scheme}://{asked.netloc.decode('ascii')}{asked.raw_path.decode('ascii')}", encoded=True)
    if url.raw_host != asked.raw_host.decode("ascii"):
        raise aiohttp.InvalidURL(url)
    return url


def _headers_of(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the headers as they are; that a body is chunked aiohttp says itself."""
    raw = request.headers.raw
    return [(name.decode(), value.decode()) for name, value in raw if name.lower() != b"transfer-encoding"]
