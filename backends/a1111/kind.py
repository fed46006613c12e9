"""Facts about AUTOMATIC1111, Forge and their forks, known before one is asked.

Sources: `/openapi.json` and `/config` of A1111 1.10.1, Forge and SD.Next as recorded.
"""

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by, max_batch, max_side
from net.answers import read_model
from texts.text import _

NAME: Final = "a1111"

API_OFF = _("Automatic1111 or Forge")


class _OpenApi(BaseModel):
    paths: dict[str, object]


class _Page(BaseModel):
    title: str = ""
    version: str


def read_schema(body: bytes) -> Product | None:
    """Find out from a server's list of paths whether it is one of them, and which."""
    try:
        paths = read_model(_OpenApi, body).paths.keys()
    except ValidationError:
        return None
    if "/sdapi/v1/txt2img" in paths:
        return Product(name=_family(paths), kind=NAME)
    if "/internal/ping" in paths or "/sd_extra_networks/thumb" in paths:
        return Product(name=API_OFF, kind=NAME, has_api=False)
    return None


def read_page(body: bytes) -> Product | None:
    """Know the web page of one whose API is off; it is a gradio app like others."""
    try:
        title = read_model(_Page, body).title
    except ValidationError:
        return None
    return Product(name=API_OFF, kind=NAME, has_api=False) if title == "Stable Diffusion" else None


def _family(paths: Iterable[str]) -> str:
    known = frozenset(paths)
    if "/sdapi/v1/version" in known:
        return "SD.Next"
    if "/sdapi/v1/sd-modules" in known:
        return "Forge"
    return "Automatic1111" if "/sdapi/v1/sd-vae" in known else _("a server with the Automatic1111 API")


def _when_wanted(name: str, text: str) -> Option:
    return Option(name=name, type="choice", choices=("auto", "always", "never"), default="auto", help=text)


KIND = EngineKind(
    name=NAME,
    title=_("Automatic1111 or Forge"),
    noun=_("Automatic1111 or Forge"),
    make=made_by("backends.a1111.backend:A1111Backend"),
    labels={
        "a1111": "A1111",
        "automatic1111": "Automatic1111",
        "forge": "Forge",
        "reforge": "reForge",
        "sdnext": "SD.Next",
    },
    form="forge",
    help=_(
        "Start it with --api, and with --listen where it is on another machine. A rented pod has an address like the "
        "one shown. Key: user:password, if it was started with --api-auth."
    ),
    example="https://abc123-7860.proxy.runpod.net",
    check_path="/sdapi/v1/sd-models",
    models_path="/sdapi/v1/sd-models",
    port=7860,
    local_ports=(7860, 7861),
    signs=(Sign(path="/openapi.json", read=read_schema), Sign(path="/config", read=read_page, is_late=True)),
    start_hint=_("Start it with --api --listen, and check the port in the address."),
    key_hint=_("Connect again with the user:password of --api-auth as the key."),
    api_off_hint=_("Start it with --api (COMMANDLINE_ARGS=--api --listen in webui-user), then test again."),
    options=(
        _when_wanted("recover", _("fetch pictures whose answer was lost")),
        _when_wanted(
            "agent_scheduler", _("draw by way of the extension sd-webui-agent-scheduler where it is installed")
        ),
        Option(
            name="seed_options",
            type="switch",
            default="no",
            help=_("save the server's settings to its config.json once, so that it can restore what a job changes"),
        ),
        Option(name="upscaler", default=_("the best there"), help=_("what enlarges when nobody names an upscaler")),
        Option(
            name="soft_inpainting",
            type="switch",
            default="yes",
            help=_("blend what is redrawn into what stays, by the built-in Soft inpainting"),
        ),
        Option(
            name="preview_every",
            type="number",
            high=1000,
            default=_("the server's"),
            help=_("steps between two previews"),
        ),
        max_side("8000"),
        max_batch(),
    ),
)
