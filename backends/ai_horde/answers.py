"""The Horde's answers in our values.

Source: recorded exchanges with AI Horde 5.1.5. `done` alone is no success: a job whose workers failed says it too, and
one that maintenance threw out never says it.
"""

from typing import Final

from pydantic import BaseModel, Field

from generation.foreign import digits
from generation.request import GenerationRequest
from texts.text import _

JOB_ID: Final = "[A-Za-z0-9-]{1,64}"


class Submitted(BaseModel):
    """A 202 of `POST /v2/generate/async`. `kudos` is per picture."""

    id: str = Field(pattern=f"^{JOB_ID}$")
    kudos: float = 0.0


class HordeCheck(BaseModel):
    """The state of a job. Numbers are pictures, `wait_time` is seconds and often far too low."""

    finished: int = 0
    processing: int = 0
    restarted: int = 0
    waiting: int = 0
    done: bool
    faulted: bool = False
    wait_time: float = 0.0
    queue_position: int = 0
    kudos: float = 0.0
    is_possible: bool = True

    @property
    def is_dead(self) -> bool:
        """Nothing waits, nothing runs, nothing is done, and yet it has not ended: maintenance threw it out."""
        return not (self.done or self.faulted or self.waiting or self.processing or self.finished)


class Remark(BaseModel):
    """One entry of `gen_metadata`."""

    type: str = ""
    value: str = ""
    ref: str = ""


class Generation(BaseModel):
    """One picture: `img` is a URL (r2) or bare base64, always WebP."""

    img: str = ""
    seed: str = ""
    censored: bool = False
    gen_metadata: list[Remark] = []
    model: str = ""

    @property
    def place(self) -> int:
        """Return where it belongs in its batch; a picture drawn alone has no place."""
        refs = [remark.ref for remark in self.gen_metadata if remark.type == "batch_index"]
        return digits(refs[0], 0) if refs else 0

    def seed_or(self, fallback: int) -> int:
        return digits(self.seed, fallback)


class HordeStatus(HordeCheck):
    """The same with the pictures that are finished."""

    generations: list[Generation] = []


def notes_of(status: HordeStatus, request: GenerationRequest) -> list[str]:
    """Return what people should know of pictures that were drawn: what is missing, and what was left out of them."""
    notes = []
    held_back = sum(generation.censored for generation in status.generations)
    if held_back:
        notes.append(
            _(
                "{held_back} of {batch_size} held back by the worker’s filter",
                held_back=held_back,
                batch_size=request.batch_size,
            )
        )
    missing = request.batch_size - len(status.generations)
    if missing > 0:
        notes.append(
            _("{missing} of {batch_size} not drawn: the workers failed", missing=missing, batch_size=request.batch_size)
        )
    for generation in status.generations:
        notes += [note for remark in generation.gen_metadata if (note := _remark(remark))]
    drawn_with = {generation.model for generation in status.generations if generation.model}
    if request.model and drawn_with and request.model not in drawn_with:
        notes.append(
            _(
                "model {model} was not used: {drawn_with} drew it",
                model=request.model,
                drawn_with=", ".join(sorted(drawn_with)),
            )
        )
    return list(dict.fromkeys(notes))


def _remark(remark: Remark) -> str:
    what = {"lora": "LoRA", "ti": "embedding", "source_image": _("source picture"), "source_mask": "mask"}.get(
        remark.type
    )
    why = {
        "download_failed": _("could not be fetched by the worker"),
        "parse_failed": _("could not be read by the worker"),
        "baseline_mismatch": _("does not suit this model"),
    }.get(remark.value)
    if not what or not why:
        return ""
    named = f"{what} {remark.ref}" if remark.ref else what
    return _("{named} {why}, drawn without it", named=named, why=why)
