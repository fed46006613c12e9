"""Words for a screen reader: what made a picture, what it was drawn from, and its measured size."""

from typing import Final

from cogs.plain import label
from constants import DISCORD_ALT_TEXT_CHARS
from generation.job import Job
from generation.request import Mode
from generation.result import StoredImage
from texts.text import _

MODEL_CHARS: Final = 60
WORDS_CHARS: Final = 900
AI_IMAGE: Final = _("AI image")
AI_VIDEO: Final = _("AI video")
RULES_IMAGE: Final = _("Image drawn by rules, not by an AI model")
ENLARGED_IMAGE: Final = _("Enlarged image")


def alt_of(job: Job, image: StoredImage) -> str:
    """Describe a picture of a finished job; several in a grid are described by the first."""
    assert job.result is not None, "only finished jobs have pictures"
    what = _what(job, image)
    if len(job.result.images) > 1 and not image.is_video:
        what += _(", {count} in a grid", count=len(job.result.images))
    model = job.result.model or job.drawn.model
    tail = _(
        "; {model}, {width}×{height}, seed {seed}",
        model=label(model, MODEL_CHARS) if model else _("default model"),
        width=image.width,
        height=image.height,
        seed=image.seed,
    )
    if job.drawn.mode is Mode.UPSCALE:
        tail = _("; made {factor:g} times larger", factor=job.drawn.upscale_factor or 2)
        tail += _(" by {model}", model=label(model, MODEL_CHARS)) if model else ""
        tail += _(", {width}×{height}", width=image.width, height=image.height)
    room = DISCORD_ALT_TEXT_CHARS - len(tail) - len(f"{what}: ")
    seen = job.result.alt_of(image)
    words = label(seen or job.drawn.prompt, min(WORDS_CHARS, room)) or _("a picture given without words")
    return f"{what}: {words}{tail}"


def _what(job: Job, image: StoredImage) -> str:
    """Return what made it; one that was only enlarged may have been a photograph."""
    assert job.result is not None, "only finished jobs have pictures"
    if job.drawn.mode is Mode.UPSCALE and (job.result.is_by_rules or not job.origin.parent_job_id):
        return ENLARGED_IMAGE
    if job.result.is_by_rules:
        return RULES_IMAGE
    return AI_VIDEO if image.is_video else AI_IMAGE
