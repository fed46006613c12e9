"""One way to make an HTTP client for a server.

A client follows no redirects: a server that moves could otherwise send a key, or a request, anywhere.
"""

from collections.abc import Generator
from ipaddress import ip_address

import httpx

from constants import APP_NAME, VERSION
from net.endpoint import Endpoint
from net.guard import guarded_transport, owners_transport, trusted_authorities

CONNECT_TIMEOUT_S = 5.0


def make_client(
    endpoint: Endpoint, *, transport: httpx.AsyncBaseTransport | None = None, auth: httpx.Auth | None = None
) -> httpx.AsyncClient:
    """Return a client for one engine; its paths begin with `/` and keep a path prefix of the engine's address.

    Args:
        endpoint: the host is resolved and checked at connect time, unless the owner set it and may go anywhere.
        transport: for tests; replaces the network.
        auth: sent with the first request already, since not every engine asks for it.
    """
    url = endpoint.url.strip().rstrip("/")
    if transport is None:
        transport = owners_transport() if endpoint.is_trusted else guarded_transport(endpoint.policy)
    headers = {"User-Agent": f"{APP_NAME}/{VERSION}"}
    if _is_near(url):
        headers["Accept-Encoding"] = "identity"  # gzip of base64 costs the engine more than a local network does
    return httpx.AsyncClient(
        base_url=url,
        transport=transport,
        verify=trusted_authorities() if transport is None else True,  # a transport has its own
        auth=auth,
        headers=headers,
        timeout=httpx.Timeout(endpoint.timeout_s, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        trust_env=endpoint.is_trusted,  # a proxy from the environment would undo the address check
    )


def key_auth(key: str) -> httpx.Auth | None:
    """Return HTTP Basic for `user:password`, a bearer token for anything else, None for no key."""
    if not key:
        return None
    user, colon, password = key.partition(":")
    return httpx.BasicAuth(user, password) if colon else BearerAuth(key)


class BearerAuth(httpx.Auth):
    """`Authorization: Bearer <key>` on every request."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


def _is_near(url: str) -> bool:
    """Return whether the address looks like this machine or the local network; never resolves a name."""
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        return False
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal"))
