"""Facts about ComfyUI, known before one is asked.

Sources: `/system_stats` of ComfyUI 0.33 and `/api/v2/health` of comfy-api-proxy 0.1.6, as recorded.
"""

from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from backends.comfyui.builtin.families import ModelFamily
from backends.kind import EngineKind, Option, Product, Sign, clean_name, made_by, max_batch, max_side
from net.answers import read_model
from texts.text import _

NAME: Final = "comfyui"
PREVIEW_METHODS: Final = frozenset({"auto", "latent2rgb", "taesd", "none"})


class _SystemStats(BaseModel):
    class System(BaseModel):
        comfyui_version: str = ""

    system: System


class _V2Health(BaseModel):
    status: Literal["healthy"]


def read_v2(body: bytes) -> Product | None:
    """Know ComfyUI's API v2, which may stand alone in front of one."""
    try:
        read_model(_V2Health, body)
    except ValidationError:
        return None
    return Product(name="ComfyUI’s API v2", kind=NAME)


def read_stats(body: bytes) -> Product | None:
    """Know ComfyUI by what it tells of its machine."""
    try:
        version = read_model(_SystemStats, body).system.comfyui_version
    except ValidationError:
        return None
    return Product(name="ComfyUI", version=clean_name(version), kind=NAME)


def _file(name: str, text: str) -> Option:
    return Option(name=name, default=_("by file name"), help=text)


KIND = EngineKind(
    name=NAME,
    title="ComfyUI",
    noun="ComfyUI",
    make=made_by("backends.comfyui.backend:ComfyUIBackend"),
    labels={"comfyui": "ComfyUI"},
    help=_("Start it with --listen where it is on another machine. Workflows of your own run on it."),
    example="https://abc123-8188.proxy.runpod.net",
    check_path="/system_stats",
    port=8188,
    local_ports=(8188,),
    signs=(
        Sign(path="/system_stats", read=read_stats),
        Sign(path="/api/v2/health", read=read_v2, is_late=True),
    ),
    start_hint=_("Start it with --listen, and check the port in the address."),
    options=(
        Option(name="workflow", help=_("path of a workflow on Easel's machine, used instead of the built-in graphs")),
        Option(
            name="own_workflows",
            type="switch",
            default="yes",
            help=_("let people run workflows of their own on this engine"),
        ),
        Option(name="model", default=_("the first one"), help=_("the model used when nobody names one")),
        Option(
            name="family",
            type="choice",
            choices=tuple(ModelFamily),
            default=_("by file name"),
            help=_("the family of all models, where file names tell nothing"),
        ),
        _file("t5", _("the T5 text encoder for Flux and SD 3.5")),
        _file("clip_l", _("the CLIP-L text encoder for Flux and SD 3.5")),
        _file("clip_g", _("the CLIP-G text encoder for SD 3.5")),
        _file("vae", _("the VAE for Flux and SD 3.5")),
        Option(name="upscaler", default=_("the first one"), help=_("the upscaling model")),
        Option(
            name="preview",
            type="choice",
            choices=tuple(sorted(PREVIEW_METHODS)),
            default="auto",
            help=_("previews while drawing"),
        ),
        Option(
            name="save_on_server", type="switch", default="no", help=_("keep pictures in ComfyUI's folder output/easel")
        ),
        max_side("4096"),
        max_batch(),
    ),
)
