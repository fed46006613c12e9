"""Identify the product that answers at an address, by the signs of each kind of engine.

Several share a port, so only what answers counts.
"""

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ValidationError

from backends.base import BackendConfig
from backends.kind import Product, Sign, clean_name
from backends.kinds import kind_of, known_kinds, usual_ports
from generation.errors import BackendUnavailable, UnexpectedAnswer
from lazy import dataclass
from net.answers import read_model
from net.calls import Calls
from net.client import make_client
from net.guard import guarded_transport
from texts.text import _

LOCAL_HOSTS = frozenset({"localhost", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104  # read, not bound
MAX_ANSWER_BYTES = 8 * 1024 * 1024  # A1111's own /config takes 1 to 2 MB
SCHEMA_PATH = "/openapi.json"


class _OpenApi(BaseModel):
    class Info(BaseModel):
        title: str = ""
        version: str = ""

    info: Info = Info()
    paths: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A product found on this machine. `is_usable`: this version of Easel can draw with it as it stands."""

    kind: str
    url: str
    title: str
    port: int
    is_usable: bool
    message: str


async def identify(client: httpx.AsyncClient, url: str) -> Product | None:
    """Ask what answers at a base URL (without a slash at its end); None if it is nothing known.

    A kind that is sure of itself wins over a product that none can speak to.

    Raises:
        BackendError: the address is against the client's rules.
    """
    signs = [sign for kind in known_kinds() for sign in kind.signs]
    found: list[Product] = []
    for is_late in (False, True):
        asked = [sign for sign in signs if sign.is_late is is_late]
        paths = {*(sign.path for sign in asked), *(() if is_late else (SCHEMA_PATH,))}
        bodies = dict(zip(paths, await asyncio.gather(*(_get(client, f"{url}{path}") for path in paths)), strict=True))
        found += await asyncio.to_thread(_read, asked, bodies)  # in a thread: A1111's page is megabytes
        if known := next((product for product in found if product.kind), None):
            return known
    return found[-1] if found else None


def _read(signs: Iterable[Sign], bodies: Mapping[str, bytes]) -> list[Product]:
    read = [sign.read(body) for sign in signs if (body := bodies[sign.path])]
    read.append(_read_schema(bodies.get(SCHEMA_PATH, b"")))
    return [product for product in read if product is not None]


def local_port(address: str) -> int | None:
    """Return the port of an address on this machine, None for any other address."""
    try:
        url = httpx.URL(address.strip())
    except httpx.InvalidURL:
        return None
    host = url.host.strip("[]").casefold()
    is_here = host in LOCAL_HOSTS or host.endswith(".localhost") or host.startswith("127.")
    return (url.port or {"http": 80, "https": 443}.get(url.scheme)) if is_here else None


async def probe_local(
    ports: Iterable[int] | None = None, host: str = "127.0.0.1", timeout_s: float = 1.5
) -> list[Found]:
    """Ask each of the usual ports of this machine what answers there; takes at most `timeout_s`."""
    config = BackendConfig(name="probe", kind="", timeout_s=timeout_s)
    async with make_client(config.endpoint, transport=guarded_transport(config.policy)) as client:
        found = await asyncio.gather(*(_probe(client, host, port, timeout_s) for port in ports or usual_ports()))
    return [item for item in found if item is not None]


async def _probe(client: httpx.AsyncClient, host: str, port: int, timeout_s: float) -> Found | None:
    url = f"http://{host}:{port}"
    try:
        async with asyncio.timeout(timeout_s):
            product = await identify(client, url)
    except TimeoutError:
        return None
    if product is None:
        return None
    message = _("found {title} at {port}", title=product.title, port=port)
    is_known = kind_of(product.kind) is not None
    if not is_known:
        message += _(", not supported by this version")
    elif not product.has_api:
        message += _(", but its API is off: start it with --api")
    return Found(
        kind=product.kind,
        url=url,
        title=product.title,
        port=port,
        is_usable=is_known and product.has_api,
        message=message,
    )


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    """The body of a 200 answer, else nothing. Never more than `MAX_ANSWER_BYTES` are taken in."""
    try:
        reply = await Calls(_("The server"), client, limit=MAX_ANSWER_BYTES).call("GET", url)
    except (BackendUnavailable, UnexpectedAnswer):
        return b""
    return reply.body if reply.status == HTTPStatus.OK else b""


def _read_schema(body: bytes) -> Product | None:
    """Name a server of no kind of ours by what it says of its own API."""
    try:
        schema = read_model(_OpenApi, body)
    except ValidationError:
        return None
    if any(path.endswith(("/queue/join", "/queue/status")) for path in schema.paths):
        return Product(name=_("gradio app"))
    title = clean_name(schema.info.title)
    return Product(name=title, version=clean_name(schema.info.version)) if title not in {"", "FastAPI"} else None
