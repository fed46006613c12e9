"""The small print under a picture: model, size and seed, and beside them only what somebody asked for."""

from typing import Final

from cogs.plain import escape
from generation.deeds import Deed
from generation.fields import FIELDS
from generation.job import Job
from generation.request import FROM_PICTURE_ALONE, GenerationRequest, Mode
from texts.text import Text, _, fields_of, joined
from utils.text import cut

NAME_CHARS: Final = 60
WORDS_CHARS: Final = 80  # of what is left out of a picture
WORDS_OF_MODE: Final = {
    Mode.IMG2IMG: "img2img",
    Mode.INPAINT: "inpaint",
    Mode.UPSCALE: "upscale",
    Mode.RESTYLE: "restyle",
}


def small_print(job: Job) -> str:
    """Return the figures of a job, finished or not."""
    request, result = job.settled, job.result
    images = result.images if result else ()
    seeds = [image.seed for image in images] or [request.seed]
    size = f"{images[0].width}×{images[0].height}" if images else f"{request.width}×{request.height}"
    model = (result.model if result else None) or request.model
    parts = [escape(cut(model, NAME_CHARS))] if model else []
    parts.append(size)
    if len(set(seeds)) == 1:
        parts.append(_("seed {seed}", seed=seeds[0]))
    else:
        parts.append(_("seeds {seed}–{last}", seed=seeds[0], last=seeds[-1]))
    kind = [] if job.origin.deed in (Deed.UPSCALE, Deed.FINISH) else kind_of(request)  # the first line says it
    return joined(" · ", [*parts, *kind, *details(request, job.origin.asked), *styles(job)])


def kind_of(request: GenerationRequest) -> list[str]:
    """Return what kind of drawing it is, where it is not from words alone."""
    parts = [WORDS_OF_MODE[request.mode]] if request.mode in WORDS_OF_MODE else []
    if request.mode is Mode.UPSCALE:
        parts.append(f"{request.upscale_factor or 2:g}×")
    if request.workflow:
        parts.append(_("workflow {name}", name=escape(cut(request.workflow.name, NAME_CHARS))))
    return parts


def details(request: GenerationRequest, asked: tuple[str, ...] | None = None) -> list[str]:
    """Return the other figures of a request: those in `asked`, or all of them."""

    def is_shown(name: str) -> bool:
        value = getattr(request, name)
        return (asked is None or name in asked) and value is not False and value not in (None, "", ())

    if request.mode in FROM_PICTURE_ALONE:
        parts = [_("upscaler {name}", name=escape(request.upscaler or ""))] if is_shown("upscaler") else []
        return [*parts, *_strength(request)] if request.mode is Mode.RESTYLE else parts
    parts = [_("{steps} steps", steps=request.steps)] if is_shown("steps") else []
    if is_shown("cfg_scale"):
        parts.append(f"CFG {request.cfg_scale:g}")
    if is_shown("sampler") or is_shown("scheduler"):
        parts.append(escape(" ".join(filter(None, (request.sampler, request.scheduler)))))
    if request.init_image and is_shown("denoising_strength"):
        parts += _strength(request)
    if is_shown("hires") and request.hires:
        parts.append(_("hires {factor:g}×", factor=request.hires.factor))
    if is_shown("vae"):
        parts.append(f"VAE {escape(cut(request.vae or '', NAME_CHARS))}")
    for field in FIELDS:
        if field.small_print and is_shown(field.name):
            names = fields_of(field.small_print)
            parts.append(Text(field.small_print, {name: getattr(request, field.name) for name in names}))
    if is_shown("negative_prompt") and request.negative_prompt.strip():
        parts.append(_("without {words}", words=escape(cut(request.negative_prompt, WORDS_CHARS))))
    if is_shown("loras"):
        parts += [f"LoRA {escape(cut(lora.name, NAME_CHARS))} {lora.weight:g}" for lora in request.loras]
    return parts


def styles(job: Job) -> list[str]:
    names = dict.fromkeys((*job.origin.styles, *job.drawn.styles))
    return [_("style {name}", name=escape(cut(name, NAME_CHARS))) for name in names]


def _strength(request: GenerationRequest) -> list[str]:
    return [_("strength {strength:g}", strength=request.denoising_strength or 0)]
