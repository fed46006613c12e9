"""Facts about one server of the A1111 family, as read at the last probe. Values only."""

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Final

from backends.a1111.extensions.control import ControlType, all_models
from backends.kind import number_of
from constants import DEFAULT_CFG_SCALE, DEFAULT_WIDTH_PX
from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from generation.samplers import match_name
from lazy import dataclass, pattern

LARGE_SIDE_PX: Final = 1024
MAX_SIDE_PX: Final = 8000  # squared, the largest picture Easel takes; the GPU says no long before
GRID_PX: Final = 8  # of every model: the web UI takes no other sides
MAX_STEPS: Final = 150  # the web UI's own range
MAX_BATCH: Final = 8  # the web UI's own range
MAX_SEED: Final = 2**32 - 1  # the web UI's own range; far larger ones overflow inside

_LARGE = pattern(r"xl|pony|illustrious|noob|animagine|flux|sd3|sd_3|chroma|z-?image|qwen|lumina|hidream", re.I)
_GOOD_UPSCALERS: Final = ("4x-UltraSharp", "4x_UltraSharp", "R-ESRGAN 4x+", "RealESRGAN 4x+", "ESRGAN_4x", "SwinIR 4x")
_PLAIN_UPSCALERS: Final = ("Lanczos", "Resize Lanczos", "Nearest")  # no text: the server’s own
_FLUX = pattern(r"flux|schnell", re.I)


class Program(StrEnum):
    """The program that answers; they differ in routes, fields and error bodies."""

    A1111 = "AUTOMATIC1111"
    FORGE = "Forge"
    REFORGE = "reForge"
    SDNEXT = "SD.Next"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A weights file: `title` is its exact name for requests, `name` what results call it."""

    title: str
    name: str
    hash: str = ""

    @property
    def is_flux(self) -> bool:
        return bool(_FLUX.search(self.name))


@dataclass(frozen=True, kw_only=True)
class Upscaler:
    """Something that enlarges. `is_local`: its weights are on the server; others it fetches at their first use."""

    name: str
    is_local: bool = False


@dataclass(frozen=True, kw_only=True)
class A1111Facts:
    """Everything known of a server. `None` means it could not tell; `settings` are its options at first sight."""

    family: Program = Program.A1111
    has_tasks: bool = False  # `force_task_id` and `/internal/progress`: only while its web UI runs
    checkpoints: tuple[Checkpoint, ...] | None = None
    current: Checkpoint | None = None
    samplers: Mapping[str, str] | None = None  # every spelling in lower case -> the exact name
    schedulers: tuple[str, ...] | None = None
    loras: tuple[str, ...] | None = None
    lora_aliases: frozenset[str] = frozenset()
    vaes: tuple[str, ...] | None = None
    styles: tuple[str, ...] | None = None
    embeddings: tuple[str, ...] | None = None
    upscalers: tuple[Upscaler, ...] | None = None
    latent_upscalers: tuple[str, ...] | None = None
    control: Mapping[str, ControlType] = field(default_factory=dict)
    has_soft_inpainting: bool = False
    has_guidance: bool = False  # `distilled_cfg_scale`
    has_extras: bool = True  # `extra-single-image`
    has_interrogate: bool = True
    has_scheduler: bool = False  # the extension sd-webui-agent-scheduler
    settings: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def sampler_names(self) -> tuple[str, ...] | None:
        return None if self.samplers is None else tuple(dict.fromkeys(self.samplers.values()))

    @property
    def upscaler_names(self) -> tuple[str, ...] | None:
        return None if self.upscalers is None else tuple(upscaler.name for upscaler in self.upscalers)

    def is_flux(self, checkpoint: Checkpoint | None) -> bool:
        """Return whether that one is drawn the distilled way: own guidance, no CFG, no negative prompt."""
        return self.has_guidance and checkpoint is not None and checkpoint.is_flux

    def checkpoint(self, wanted: str | None) -> Checkpoint | None:
        """Return the checkpoint meant by a request; the current one when it names none."""
        if wanted is None:
            return self.current
        return find_checkpoint(wanted, self.checkpoints or ())

    def setting(self, key: str, default: Any) -> Any:
        value = (self.settings or {}).get(key)
        return default if value is None else value


def find_checkpoint(wanted: str, checkpoints: tuple[Checkpoint, ...]) -> Checkpoint | None:
    """Return the one meant by a title, a name or a file name; a title gains a hash once the server has reckoned it."""
    for spelling in ({c.title: c for c in checkpoints}, {c.name: c for c in checkpoints}):
        found = match_name(wanted, spelling)
        if found:
            return spelling[found]
    return None


def choose_upscaler(wanted: str | None, facts: A1111Facts, options: Mapping[str, str], *, hires: bool = False) -> str:
    """Return the upscaler asked for, else the instance's own (`upscaler`), else the best that is there.

    A name that is not there is a 500. Best are weights that lie on the server, then those it can fetch, then Lanczos.
    """
    names = facts.upscaler_names or ()
    latent = (facts.latent_upscalers or ()) if hires else ()
    for name in filter(None, (wanted, options.get("upscaler"))):
        found = match_name(name, (*latent, *names))
        if found or not names:
            return found or name
    local = [upscaler.name for upscaler in facts.upscalers or () if upscaler.is_local]
    for known in (*_GOOD_UPSCALERS, *local):
        if known in local:
            return known
    return next((known for known in (*_GOOD_UPSCALERS, *_PLAIN_UPSCALERS) if known in names), (*names, "Lanczos")[0])


def to_capabilities(facts: A1111Facts, options: Mapping[str, str]) -> Capabilities:
    """Return what the queue needs to know; `options` are the instance's own (`max_side`, `max_batch`)."""
    models = None
    if facts.checkpoints is not None:
        models = tuple(ModelInfo(name=c.title, title=c.name, is_loaded=c == facts.current) for c in facts.checkpoints)
    name = facts.current.name if facts.current else ""
    is_large = bool(_LARGE.search(name))
    side = LARGE_SIDE_PX if is_large else DEFAULT_WIDTH_PX
    return Capabilities(
        modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG, Mode.INPAINT} | ({Mode.UPSCALE} if facts.has_extras else set())),
        models=models,
        samplers=facts.sampler_names,
        schedulers=facts.schedulers,
        loras=facts.loras,
        lora_aliases=tuple(sorted(facts.lora_aliases)),
        reads_lora_tags=True,
        vaes=facts.vaes,
        styles=facts.styles,
        embeddings=facts.embeddings,
        upscalers=facts.upscaler_names,
        hires_upscalers=facts.latent_upscalers,
        control_kinds=tuple(sorted(facts.control)),
        control_models=all_models(facts.control),
        size_grid=GRID_PX,
        min_side=64,
        max_side=number_of(options, "max_side", MAX_SIDE_PX),
        max_steps=MAX_STEPS,
        max_batch=number_of(options, "max_batch", MAX_BATCH),
        max_seed=MAX_SEED,
        supports_clip_skip=True,
        supports_hires=True,
        supports_guidance=facts.has_guidance,
        supports_mask_fill=True,
        supports_only_masked=True,
        supports_tiling=True,
        supports_subseed=True,
        supports_describe=facts.has_interrogate,
        supports_preview=True,
        supports_progress=True,
        supports_cancel=True,
        lines_up=facts.has_tasks,  # without task ids a waiting job of ours could not be told from a stranger's
        default_width=side,
        default_height=side,
        default_cfg_scale=1.0 if facts.current and facts.current.is_flux else DEFAULT_CFG_SCALE,
    )
