"""Choose the engine of what goes on from a picture: the engine and model of that first, otherwise a note says so.

The presser's own preferences do not count here: what nobody changes is the parent's.
"""

from dataclasses import replace
from typing import Any, Final

from backends.registry import BackendRegistry, Entry
from generation.capabilities import find_model
from generation.errors import BackendError, CapabilityError, GenerationError
from generation.fields import FIELDS
from generation.job import Job, Origin
from generation.options import as_checked
from generation.request import FROM_PICTURE_ALONE, Draft, Mode
from generation.resolve import mode_of
from lazy import dataclass
from services.drawing.choosing import Candidate, Chooser
from store.jobs import JobStore
from texts.text import _, joined

# Names that mean nothing to another engine.
ENGINES_OWN: Final = ("model", "sampler", "scheduler", "vae", "loras", "workflow", "options")
MOST_ENLARGEMENTS: Final = 20  # one upon the other
# Names that may mean nothing to another engine, in the order in which a picture can best do without them.
NAMES: Final = {
    "upscaler": _("upscaler"),
    "scheduler": _("scheduler"),
    "sampler": _("sampler"),
    "vae": _("VAE"),
    "styles": _("style"),
    "loras": _("LoRA"),
    "model": _("model"),
}


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The job that made the picture to go on from; `changes` are what of the new request is not its own."""

    job: Job
    changes: Draft


class Continuation:
    """Finds the engines for what goes on from a picture."""

    def __init__(self, chooser: Chooser, registry: BackendRegistry) -> None:
        self._chooser = chooser
        self._registry = registry

    async def options(self, draft: Draft, origin: Origin, parent: Parent) -> tuple[Draft, list[Candidate]]:
        """Return the draft as it is submitted, bound to the parent's engine where that can, and the engines for it.

        Raises:
            RequestRejected, CapabilityError, BackendError: as `Chooser.options`.
        """
        if draft.backend:  # another engine is asked for by name
            return draft, await self._chooser.options(draft, origin)
        entry = self._engine_of(parent.job, origin)
        fault: GenerationError | None = None
        if entry is not None and self._stays(entry, mode_of(draft), origin):
            there, note = _with_model_of(parent.job, draft, entry)
            there = as_checked(replace(there, backend=entry.name), draft)
            try:
                return there, _noted(await self._options(there, origin), note)
            except (CapabilityError, BackendError) as error:
                fault = error
        try:
            draft, options, left_out = await self._elsewhere(draft, origin, parent.changes)
        except (CapabilityError, BackendError) as error:
            raise fault or error from error
        note = self._note(parent.job, entry, options[0].entry, fault, left_out)
        return draft, _noted(options, note)

    async def _options(self, draft: Draft, origin: Origin) -> list[Candidate]:
        return await self._chooser.options(draft, origin, is_continued=True)

    def _engine_of(self, job: Job, origin: Origin) -> Entry | None:
        """Return the engine a job ran on, if it is there for who goes on from its picture."""
        return next((entry for entry in self._registry.visible(origin.person) if entry.name == job.lane), None)

    def _stays(self, entry: Entry, mode: Mode, origin: Origin) -> bool:
        """Return whether the parent's engine is the one for this: what fills a gap goes before a fallback."""
        if entry.fills:
            return mode in entry.fills
        if entry.is_fallback:
            is_filled = any(mode in other.fills for other in self._registry.visible(origin.person))
            return not is_filled and (entry.capabilities is None or mode in entry.capabilities.modes)
        return mode not in FROM_PICTURE_ALONE or entry.capabilities is None or mode in entry.capabilities.modes

    async def _elsewhere(
        self, draft: Draft, origin: Origin, changes: Draft
    ) -> tuple[Draft, list[Candidate], tuple[str, ...]]:
        """Find other engines, if need be without the parent's names for things; those left out are returned."""
        given = {name: value for name in NAMES if (value := getattr(draft, name)) and not getattr(changes, name)}
        try:
            return draft, await self._options(draft, origin), ()
        except CapabilityError:
            if not given:
                raise
        unsaid = Draft()
        without: dict[str, Any] = {name: getattr(unsaid, name) for name in given}
        options = await self._options(replace(draft, **without), origin)
        for name in reversed(given):  # the model first: what is there after all is kept
            fewer = {other: value for other, value in without.items() if other != name}
            try:
                options = await self._options(replace(draft, **fewer), origin)
            except CapabilityError:
                continue
            without = fewer
        left_out = tuple(_called(name, given[name]) for name in given if name in without)
        return replace(draft, **without), options, left_out

    def _note(
        self, job: Job, entry: Entry | None, found: Entry, fault: GenerationError | None, left_out: tuple[str, ...]
    ) -> str:
        if entry is not None and fault is None and entry.is_fallback:
            return ""  # Easel's own engines take turns by what each does best
        is_there = self._registry.get(job.lane) is not None
        before = job.result.backend if job.result and not is_there else self._registry.label(job.lane)
        if fault is not None:
            reason = fault.user_message
        elif entry is not None:
            reason = _("it cannot do that")
        elif is_there:
            reason = _("it is somebody's own")
        else:
            reason = _("it is no longer connected")
        note = _(
            "on {found}, not on {before} like the picture before: {reason:phrase}",
            found=found.label,
            before=before,
            reason=reason,
        )
        if not left_out:
            return note
        return joined(" · ", (note, _("left out: {names}", names=joined(", ", left_out))))


async def drawn_by(jobs: JobStore, job: Job) -> Job:
    """Return the job that drew what this one enlarged, or the job as if it had drawn it."""
    enlarged = job
    for __ in range(MOST_ENLARGEMENTS):
        if enlarged.request.mode not in FROM_PICTURE_ALONE:
            return enlarged
        parent = await jobs.get(enlarged.origin.parent_job_id or "")
        if parent is None or parent.words_gone_at is not None:
            break
        enlarged = parent
    nothing: dict[str, Any] = {"init_image": None, "more_images": (), "upscale_factor": None, "upscaler": None}
    request = replace(enlarged.request, mode=Mode.TXT2IMG, **nothing)
    return replace(enlarged, request=request)


def asks_to_draw(changes: Draft) -> bool:
    """Return whether changes are of no use to enlarging a picture, such as other words."""
    drawing = (getattr(changes, field.name) for field in FIELDS if field.is_drawing)
    return changes.mode is None and any(value not in (None, "", ()) for value in drawing)


def _noted(options: list[Candidate], note: str) -> list[Candidate]:
    return [option.noted(note) for option in options] if note else options


def _with_model_of(job: Job, draft: Draft, entry: Entry) -> tuple[Draft, str]:
    """Name the model that drew the parent, where nobody did: the engine may have loaded another one since."""
    models = entry.capabilities.models if entry.capabilities else None
    drew = job.result.model if job.result else None
    if draft.model or draft.workflow or not models or not drew or mode_of(draft) in FROM_PICTURE_ALONE:
        return draft, ""
    if name := find_model(drew, models):
        return replace(draft, model=name), ""
    return draft, _("model {model} of the picture before is no longer there", model=drew)


def _called(name: str, value: Any) -> str:
    """Return what is left out in words."""
    names = ", ".join(value) if name == "styles" else value
    if name == "loras":
        names = ", ".join(lora.name for lora in value)
    return _("{what} {names}", what=NAMES[name], names=names)
