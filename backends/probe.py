"""Tell the products apart that answer at an address: A1111 and its forks, ComfyUI, gradio apps, a Horde, the Grid.

Several share port 7860, so only what answers counts. Sources: the recorded answers of real servers (`/openapi.json`
of A1111 1.10.1 and Forge, `/system_stats` of ComfyUI 0.33, `/config` of gradio 4 to 6, the heartbeat of AI Horde 5.1.5,
`/health` of the AI Power Grid, `/api/v2/health` of comfy-api-proxy 0.1.6).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import BaseModel, ValidationError

from backends.answers import read_model
from backends.base import BackendConfig
from backends.guard import guarded_transport
from backends.http import AnswerTooLarge, make_client, read_bounded
from backends.registry import known_kinds

LOCAL_PORTS = (7860, 7861, 8188)
LOCAL_HOSTS = frozenset({"localhost", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104  # read, not bound
MAX_ANSWER_BYTES = 8 * 1024 * 1024  # A1111's own /config takes 1 to 2 MB
MAX_NAME_CHARS = 40
HEARTBEAT_PATH = "/api/v2/status/heartbeat"
HEALTH_PATH = "/health"
COMFYUI_V2_PATH = "/api/v2/health"
_OTHER_PATHS = ("/config", HEARTBEAT_PATH, HEALTH_PATH, COMFYUI_V2_PATH)


class _SystemStats(BaseModel):
    class System(BaseModel):
        comfyui_version: str = ""

    system: System


class _OpenApi(BaseModel):
    class Info(BaseModel):
        title: str = ""
        version: str = ""

    info: Info = Info()
    paths: dict[str, object]


class _GradioConfig(BaseModel):
    class Component(BaseModel):
        class Props(BaseModel):
            label: object = None

        props: Props = Props()

    version: str
    title: str = ""
    components: list[Component]


class _Heartbeat(BaseModel):
    message: str
    version: str


class _Health(BaseModel):
    models_available: list[str]


class _V2Health(BaseModel):
    status: Literal["healthy"]


@dataclass(frozen=True, kw_only=True)
class Product:
    """What answers at an address. `kind` is the backend kind that could speak to it, empty if none could."""

    name: str
    version: str = ""
    kind: str = ""
    has_api: bool = True  # False: A1111 or Forge started without --api

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip()


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

    Raises:
        BackendError: the address is against the client's rules.
    """
    schema, stats = await asyncio.gather(_get(client, f"{url}/openapi.json"), _get(client, f"{url}/system_stats"))
    product = _read_stats(stats) or _read_openapi(schema)
    if product is not None and product.kind:
        return product
    page, heartbeat, health, v2 = await asyncio.gather(*(_get(client, f"{url}{path}") for path in _OTHER_PATHS))
    gradio = await asyncio.to_thread(_read_gradio, page)  # in a thread: A1111's is megabytes
    return gradio or _read_heartbeat(heartbeat) or _read_health(health) or _read_v2(v2) or product


def read_hosted(path: str, body: bytes) -> Product | None:
    """Say whose answer to its own path this is: the Horde's or the Grid's, which need not be asked for more."""
    if path == HEARTBEAT_PATH:
        return _read_heartbeat(body)
    return _read_health(body) if path == HEALTH_PATH else None


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
    ports: Iterable[int] = LOCAL_PORTS, host: str = "127.0.0.1", timeout_s: float = 1.5
) -> list[Found]:
    """Ask each of the usual ports of this machine what answers there; takes at most `timeout_s`."""
    config = BackendConfig(name="probe", kind="", timeout_s=timeout_s)
    async with make_client(config, transport=guarded_transport(config)) as client:
        found = await asyncio.gather(*(_probe(client, host, port, timeout_s) for port in ports))
    return [one for one in found if one is not None]


async def _probe(client: httpx.AsyncClient, host: str, port: int, timeout_s: float) -> Found | None:
    url = f"http://{host}:{port}"
    try:
        async with asyncio.timeout(timeout_s):
            product = await identify(client, url)
    except TimeoutError:
        return None
    if product is None:
        return None
    message = f"found {product.title} at {port}"
    is_known = product.kind in known_kinds()
    if not is_known:
        message += ", not supported by this version"
    elif not product.has_api:
        message += ", but its API is off: start it with --api"
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
        async with client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                return b""
            return await read_bounded(response, MAX_ANSWER_BYTES)
    except (httpx.HTTPError, AnswerTooLarge):
        return b""


def _read_stats(body: bytes) -> Product | None:
    try:
        version = read_model(_SystemStats, body).system.comfyui_version
    except ValidationError:
        return None
    return Product(name="ComfyUI", version=_clean(version), kind="comfyui")


def _read_openapi(body: bytes) -> Product | None:
    try:
        schema = read_model(_OpenApi, body)
    except ValidationError:
        return None
    paths = schema.paths.keys()
    if "/sdapi/v1/txt2img" in paths:
        return Product(name=_family(paths), kind="a1111")
    if "/internal/ping" in paths or "/sd_extra_networks/thumb" in paths:
        return Product(name="Automatic1111 or Forge", kind="a1111", has_api=False)
    if any(path.endswith(("/queue/join", "/queue/status")) for path in paths):
        return Product(name="gradio app")
    title = _clean(schema.info.title)
    return Product(name=title, version=_clean(schema.info.version)) if title not in {"", "FastAPI"} else None


def _family(paths: Iterable[str]) -> str:
    known = frozenset(paths)
    if "/sdapi/v1/version" in known:
        return "SD.Next"
    if "/sdapi/v1/sd-modules" in known:
        return "Forge"
    return "Automatic1111" if "/sdapi/v1/sd-vae" in known else "a server with the Automatic1111 API"


def _read_gradio(body: bytes) -> Product | None:
    try:
        config = read_model(_GradioConfig, body)
    except ValidationError:
        return None
    if config.title == "Stable Diffusion":
        return Product(name="Automatic1111 or Forge", kind="a1111", has_api=False)
    labels = [str(component.props.label).casefold() for component in config.components]
    kind = "gradio_flux" if any("prompt" in label for label in labels) else ""
    if b"flux" in body.lower():
        return Product(name="Flux (gradio app)", kind=kind)
    title = _clean(config.title)
    return Product(name=f"gradio app “{title}”" if title not in {"", "Gradio"} else "gradio app", kind=kind)


def _read_heartbeat(body: bytes) -> Product | None:
    try:
        version = read_model(_Heartbeat, body).version
    except ValidationError:
        return None
    return Product(name="AI Horde", version=_clean(version), kind="ai_horde")


def _read_health(body: bytes) -> Product | None:
    try:
        read_model(_Health, body)
    except ValidationError:
        return None
    return Product(name="AI Power Grid", kind="aipowergrid")


def _read_v2(body: bytes) -> Product | None:
    try:
        read_model(_V2Health, body)
    except ValidationError:
        return None
    return Product(name="ComfyUI’s API v2", kind="comfyui")


def _clean(text: str) -> str:
    """A foreign server's own words, safe to show: printable, short, no markup."""
    return "".join(sign for sign in text if sign.isalnum() or sign in " .-+()")[:MAX_NAME_CHARS].strip()
