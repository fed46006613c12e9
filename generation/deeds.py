"""Names of what was done to a picture to make the next one; a job's origin keeps it, doors put it into words."""

from enum import StrEnum

from generation.fields import FIELDS
from generation.request import Draft


class Deed(StrEnum):
    """One thing done to a picture, or to the request it was drawn from."""

    AGAIN = "again"
    REMIX = "remix"
    CHANGE = "change"  # after further words
    VARY = "vary"
    VARY_A_LITTLE = "vary-a-little"
    FINISH = "finish"  # one of a draft is drawn in full
    PICK = "pick"  # one of several is shown alone
    STEPS = "steps"
    SIZE = "size"
    MODEL = "model"
    SAMPLER = "sampler"
    ENGINE = "engine"
    SMALLER = "smaller"
    UPSCALE = "upscale"
    ZOOM = "zoom"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    INPUT = "input"  # another picture is drawn from it


# what small print says only where somebody asked for it
_ASKED = (
    "steps", "cfg_scale", "sampler", "scheduler", "negative_prompt", "loras", "styles", "vae", "hires",
    "denoising_strength", "upscaler", *(field.name for field in FIELDS if field.small_print),
)  # fmt: skip


def asked_in(draft: Draft) -> tuple[str, ...]:
    """Return the names of the fields that somebody said a value for, of those that small print may show."""
    names = tuple(name for name in _ASKED if getattr(draft, name) not in (None, "", ()))
    return (*names, "subseed_strength") if draft.chaos else names
