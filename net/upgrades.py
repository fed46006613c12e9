"""Requests that turn their connection into something else (a websocket), over httpcore: it hands the connection over.

Everything else goes over `net.wire`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx

from net.wire import LookUp
from texts.text import _

CONNECT_TIMEOUT_S = 10.0
MAX_UPGRADES = 20

_SAME_ERRORS: Final[Mapping[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Upgrades(httpx.AsyncBaseTransport):
    """A pool of httpcore, in httpx's words, whose connections go where a look-up says."""

    def __init__(self, look_up: LookUp, verify: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=MAX_UPGRADES,
            max_keepalive_connections=0,
            network_backend=_LedNetwork(look_up),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors():
            answer = await self._pool.handle_async_request(_to_core(request))
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_CoreBody(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _CoreBody(httpx.AsyncByteStream):
    """The body of one answer; closing it gives the connection back to the pool."""

    def __init__(self, answer: httpcore.Response) -> None:
        assert isinstance(answer.stream, AsyncIterable)
        self._parts = answer.stream
        self._close = answer.aclose

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for part in self._parts:
                yield part

    async def aclose(self) -> None:
        await self._close()


def _to_core(request: httpx.Request) -> httpcore.Request:
    assert isinstance(request.stream, httpx.AsyncByteStream)
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise an error of httpcore as the one of httpx that means the same."""
    try:
        yield
    except tuple(_SAME_ERRORS) as error:
        same = next(_SAME_ERRORS[kind] for kind in type(error).__mro__ if kind in _SAME_ERRORS)
        raise same(str(error)) from error


class _LedNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to the addresses of a look-up only."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout or CONNECT_TIMEOUT_S)
        addresses = await self._look_up(host, port)
        for left in range(len(addresses), 0, -1):
            # Each address gets its share, so that a dead IPv6 route leaves time for IPv4.
            share = max((deadline - loop.time()) / left, 0.1)
            try:
                return await self._network.connect_tcp(addresses[-left], port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore.ConnectError(_("no address"))  # not reached: `check_addresses` refuses an empty answer

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
