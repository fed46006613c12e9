"""The only way out to an engine's server: each connection goes to an address that was checked a moment before.

A name is resolved here, every answer is checked against the instance's rules (`utils.urls`), and the socket is opened
to that very address. So a name that answers differently the second time (DNS rebinding) gains nothing. Server name for
TLS and the Host header stay those of the URL. Proxies of the environment are not used: they would resolve names
themselves.
"""

import asyncio
import functools
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx

from generation.errors import BackendError
from texts.text import _
from utils.urls import UrlPolicy, UrlRefused, check_addresses, check_host, resolve

CONNECT_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 20
KEEP_ALIVE_S = 15.0  # under the shortest idle limit of the usual proxies, so that no stale socket is reused

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

Resolver = Callable[[str, int], Awaitable[tuple[str, ...]]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


def guarded_transport(
    policy: UrlPolicy, *, resolver: Resolver = resolve, verify: ssl.SSLContext | None = None
) -> httpx.AsyncBaseTransport:
    """Make the transport for an `httpx.AsyncClient`; redirects must stay off there (httpx's default).

    Args:
        policy: where it may be led to.
        resolver: DNS; tests hand in their own.
        verify: the TLS trust; the usual public authorities if None.
    """
    return _GuardedTransport(policy, resolver, verify or trusted_authorities())


@functools.cache
def trusted_authorities() -> ssl.SSLContext:
    """Loading the list of authorities takes tens of milliseconds, so it happens once."""
    return httpx.create_ssl_context()


class _GuardedTransport(httpx.AsyncBaseTransport):
    """A pool of httpcore behind the address check, in httpx's words: see `docs/decisions/025-net.md`."""

    def __init__(self, policy: UrlPolicy, resolver: Resolver, verify: ssl.SSLContext) -> None:
        self._policy = policy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_GuardedNetwork(policy, resolver),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            check_host(request.url.scheme, request.url.host, self._policy)
        except UrlRefused as refused:
            raise refusal(refused) from refused
        with _httpx_errors():
            answer = await self._pool.handle_async_request(_to_core(request))
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
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


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only."""

    def __init__(self, policy: UrlPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver
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
        addresses = await self._checked_addresses(host, port)
        for left in range(len(addresses), 0, -1):
            # Each address gets its share, so that a dead IPv6 route leaves time for IPv4.
            share = max((deadline - loop.time()) / left, 0.1)
            try:
                return await self._network.connect_tcp(addresses[-left], port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore.ConnectError(_("no address"))  # not reached: `check_addresses` refuses an empty answer

    async def _checked_addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            return check_addresses(host, await self._resolver(host, port), self._policy)
        except UrlRefused as refused:
            raise refusal(refused) from refused
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(_("DNS did not answer")) from error
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(_("name not found")) from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def refusal(refused: UrlRefused) -> BackendError:
    """The error people see when a server's address is against the rules."""
    return BackendError(_("This engine's address is refused. {reason}", reason=refused.reason), hint=refused.hint)
