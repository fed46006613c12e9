"""A proxy in front of Easel says on whose behalf it asks, by which name, and over https or not.

Only proxies that the owner named are believed.

`X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded` (RFC 7239) from a proxy that writes none of them. A proxy adds
its line behind those that were sent along, so the last one that is not a proxy's of ours counts.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from lazy import pattern

_PAIR: Final = pattern(r'(for|proto|host)\s*=\s*("[^"]*"|[^\s;,"]+)', re.IGNORECASE)


class Proxies:
    """Puts the caller's address, scheme and host in the place of the proxy's."""

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        """Args beyond the plain ones.

        trusted: addresses and networks of proxies.
        """
        self._networks = [ip_network(item, strict=False) for item in trusted]
        self._app: Any = app
        self._believing: Any = ProxyHeadersMiddleware(app, [str(network) for network in self._networks])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._networks and scope["type"] == "http" and self._is_ours(scope):
            await self._believing({**scope, "headers": _rewritten(scope)}, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        try:
            peer = ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        return any(peer in network for network in self._networks)


def _rewritten(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers with the host that the caller used, and `Forwarded` in the form that more proxies write."""
    headers = Headers(scope=scope)
    raw: list[tuple[bytes, bytes]] = list(scope["headers"])
    names = {"for": "x-forwarded-for", "proto": "x-forwarded-proto", "host": "x-forwarded-host"}
    if not any(name in headers for name in names.values()):
        pairs = _PAIR.findall(",".join(headers.getlist("forwarded")))
        raw += [(names[key.casefold()].encode(), value.strip('"').encode("latin-1")) for key, value in pairs]
    host = next((value for name, value in reversed(raw) if name == b"x-forwarded-host"), b"")
    if host := host.rpartition(b",")[2].strip():
        raw = [(name, value) for name, value in raw if name != b"host"] + [(b"host", host)]
    return raw
