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
from collections.abc import Awaitable, Callable
from urllib.request import getproxies

import httpx

from generation.errors import BackendError
from net.wire import LookUp, Wire
from texts.text import _
from utils.urls import UrlPolicy, UrlRefused, check_addresses, check_host, resolve

MAX_CONNECTIONS = 20
MAX_OWNERS_CONNECTIONS = 100

Resolver = Callable[[str, int], Awaitable[tuple[str, ...]]]


def guarded_transport(
    policy: UrlPolicy, *, resolver: Resolver = resolve, verify: ssl.SSLContext | None = None
) -> httpx.AsyncBaseTransport:
    """Make the transport for an `httpx.AsyncClient`; redirects must stay off there (httpx's default).

    Args:
        policy: where it may be led to.
        resolver: DNS; tests hand in their own.
        verify: the TLS trust; the usual public authorities if None.
    """
    return _Transport(policy, _looking_up(resolver, policy), verify, MAX_CONNECTIONS)


def owners_transport() -> httpx.AsyncBaseTransport | None:
    """Make a transport that leads anywhere, for addresses that the owner set.

    Returns None where the environment names a proxy: httpx goes through it, by itself.
    """
    named = getproxies()
    if any(named.get(scheme) for scheme in ("http", "https", "all")):
        return None
    return _Transport(None, _looking_up(resolve, None), None, MAX_OWNERS_CONNECTIONS)


@functools.cache
def trusted_authorities() -> ssl.SSLContext:
    """Loading the list of authorities takes tens of milliseconds, so it happens once."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Transport(httpx.AsyncBaseTransport):
    """Checks where a URL leads, and hands the request to what carries it."""

    def __init__(self, policy: UrlPolicy | None, look_up: LookUp, verify: ssl.SSLContext | None, most: int) -> None:
        self._policy = policy
        self._look_up = look_up
        self._verify = verify
        self._wire = Wire(look_up, self._trust, most)
        self._upgrading: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._policy is not None:
            try:
                check_host(request.url.scheme, request.url.host, self._policy)
            except UrlRefused as refused:
                raise refusal(refused) from refused
        carrier = await self._for_upgrades() if "upgrade" in request.headers else self._wire
        return await carrier.handle_async_request(request)

    async def aclose(self) -> None:
        await self._wire.aclose()
        if self._upgrading is not None:
            await self._upgrading.aclose()

    def _trust(self) -> ssl.SSLContext:
        return self._verify or trusted_authorities()

    async def _for_upgrades(self) -> httpx.AsyncBaseTransport:
        if self._upgrading is None:
            from net.upgrades import Upgrades  # httpcore and anyio: 3 MB that only websockets need

            verify = await asyncio.to_thread(self._trust)
            self._upgrading = self._upgrading or Upgrades(self._look_up, verify)
        return self._upgrading


def _looking_up(resolver: Resolver, policy: UrlPolicy | None) -> LookUp:
    async def look_up(host: str, port: int) -> tuple[str, ...]:
        try:
            found = await resolver(host, port)
            return found if policy is None else check_addresses(host, found, policy)
        except UrlRefused as refused:
            raise refusal(refused) from refused
        except TimeoutError as error:
            raise httpx.ConnectTimeout(_("DNS did not answer")) from error
        except (socket.gaierror, UnicodeError) as error:
            raise httpx.ConnectError(_("name not found")) from error

    return look_up


def refusal(refused: UrlRefused) -> BackendError:
    """The error people see when a server's address is against the rules."""
    return BackendError(_("This engine's address is refused. {reason}", reason=refused.reason), hint=refused.hint)
