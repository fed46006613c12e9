"""Models on this machine as a backend: a child process draws, so that nothing of it can slow or end Easel.

This process loads neither torch nor anything else of what the child needs.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from backends.base import BackendConfig, LoadedModel, ProgressCallback
from backends.child import Child, ChildAnswer, ChildFailed
from backends.embedded.errors import translate
from backends.embedded.facts import capabilities_of, default_model, model_for_controls
from backends.embedded.kind import ABSENT_HINT, IDLE_S, NAME, makers_here, shelf_of
from backends.embedded.models.disk import LocalModel, ModelShelf
from backends.embedded.payload import draw_order, model_values
from backends.embedded.progress import Course, StepPace
from backends.recent import RecentAnswers
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, ContentBlocked, RequestRejected
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult, came_back
from generation.samplers import match_name
from lazy import dataclass
from texts.text import _
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

CHILD: Final = "backends.embedded.work.hand"
SILENCE_S: Final = 60.0  # without a beat; the child gives one each two seconds
HELD_BACK: Final = "held_back:"  # before the seed of a picture that the model's safety checker took for unsafe
NOTES: Final = {
    "eight_bit": _("the model’s weights were kept in 8 bits, which are a little less exact"),
    "model_offload": _("the GPU’s memory is short: parts of the model were moved in and out, which is slower"),
    "sequential_offload": _("the GPU’s memory is very short: the model was moved in layer by layer, which is slow"),
    "tiled": _("memory is very short: the picture was drawn with as little as the model can do with, which is slow"),
    "own_sampler": _("this model has a sampler of its own, which was used"),
    "no_negative_prompt": _("this model takes no negative prompt"),
    "no_word_weights": _("this model takes no weights of words"),
    "as_map": _("the picture that steers was taken as a map of its kind, as it is"),
    "no_clip_skip": _("this model has no CLIP skip"),
}


@dataclass
class _State:
    """The last words of the child on itself."""

    loaded: LoadedModel | None = None
    was_warned: bool = False  # that the processor draws


class EmbeddedBackend:
    """Draws one request after the other on one device.

    Args:
        config: `options` as the kind lists them.
        child: what does the work.
        makers: the libraries whose packages are installed.
        clock: seconds, for the length of steps.
        recent: what was drawn a moment ago, for what is asked for again; None: all of it is drawn.
    """

    kind = NAME
    is_paid = False

    def __init__(
        self,
        config: BackendConfig,
        *,
        child: Child | None = None,
        makers: Callable[[], frozenset[str]] = makers_here,
        clock: Callable[[], float] = time.monotonic,
        recent: RecentAnswers | None = None,
    ) -> None:
        self.name = config.name
        self._options = dict(config.options)
        self._pace = StepPace(clock)
        self._child = child or _child(CHILD, self._options, self._pace)
        self._makers = makers
        self._recent = recent
        self._state = _State()
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        shelf = await self._shelf()
        loaded = self.loaded()
        return capabilities_of(shelf, self._options.get("model", ""), loaded.model if loaded else "")

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Draw the pictures of one request.

        Raises:
            RequestRejected: a picture, a model or a LoRA is not there.
            OutOfMemory: the device has too little memory, whatever is moved out of it.
            BackendUnavailable: the child crashed or hung.
        """
        shelf = await self._shelf()
        model = self._model(request, shelf)
        order, blobs = draw_order(request, model, shelf)
        course = Course(self._pace)
        answer, notes = await self._drawn(order, blobs, lambda values: report(course.progress(values)))
        seeds = (seed_after(request.seed, number) for number in range(request.batch_size))
        drawn = [GeneratedImage(data=data, seed=seed) for data, seed in zip(answer.blobs, seeds, strict=True)]
        held_back = {code.removeprefix(HELD_BACK) for code in answer.values["notes"] if code.startswith(HELD_BACK)}
        images = tuple(image for image in drawn if str(image.seed) not in held_back)
        if not images:
            raise ContentBlocked(_("The model’s own safety checker held this picture back."))
        notes = (*self._notes(answer.values), *notes)
        if len(images) < len(drawn):
            notes = (*notes, came_back(len(images), len(drawn)), _("the model’s own safety checker held back the rest"))
        return GenerationResult(images=images, model=model.title, notes=notes, is_complete=len(images) == len(drawn))

    def loaded(self) -> LoadedModel | None:
        """Return the model that is in memory; None where the child has ended since."""
        return self._state.loaded if self._child.pid is not None else None

    async def load(self, model: str) -> LoadedModel:
        """Have a model in memory, so that the next picture begins at once.

        Raises:
            RequestRejected: it is not there.
            BackendError: it cannot be loaded.
        """
        shelf = await self._shelf()
        await self._ask({"do": "load", "model": model_values(self._named(model, shelf))}, [], None)
        assert self._state.loaded is not None, "its answer says so"
        return self._state.loaded

    async def unload(self) -> None:
        """Give the memory back."""
        await self._child.rest()
        self._state.loaded = None

    async def aclose(self) -> None:
        self._is_closed = True
        await self._child.aclose()

    async def _drawn(
        self, order: Mapping[str, Any], blobs: list[bytes], report: Callable[[Mapping[str, Any]], Any]
    ) -> tuple[ChildAnswer, tuple[str, ...]]:
        """Return what an order gives, drawn or from memory, and what is to be said of that."""
        if self._recent is None:
            return await self._ask(order, blobs, report), ()
        key = await run_in_thread(self._recent.key, order, blobs)
        if (kept := self._recent.find(key)) is not None:
            return kept, (_("the same was drawn a moment ago: the picture is that one"),)
        answer = await self._ask(order, blobs, report)
        self._recent.keep(key, answer)
        return answer, ()

    async def _ask(
        self, order: Mapping[str, Any], blobs: list[bytes], report: Callable[[Mapping[str, Any]], Any] | None
    ) -> ChildAnswer:
        try:
            answer = await self._child.ask(order, blobs, report)
        except ChildFailed as failed:
            raise translate(failed) from failed
        self._note(answer.values["state"])
        return answer

    async def _shelf(self) -> ModelShelf:
        """Return what is on this machine now.

        Raises:
            BackendUnavailable: no model, no packages, or the engine is closed.
        """
        if self._is_closed:
            raise BackendUnavailable(_("The built-in engine is switched off."))
        if not (there := await run_in_thread(self._makers)):
            raise BackendUnavailable(_("The built-in engine is not installed."), hint=ABSENT_HINT)
        shelf = await run_in_thread(shelf_of, self._options)
        if not shelf.models:
            hint = _("`python main.py models pull` shows which there are and fetches one.")
            raise BackendUnavailable(_("The built-in engine has no model yet."), hint=hint)
        models = tuple(model for model in shelf.models if model.maker in there)
        if not models:
            names = ", ".join(model.title for model in shelf.models)
            message = _("What draws with {names} is not installed.", names=names)
            raise BackendUnavailable(message, hint=ABSENT_HINT)
        return replace(shelf, models=models)

    def _model(self, request: GenerationRequest, shelf: ModelShelf) -> LocalModel:
        if request.model:
            return self._named(request.model, shelf)
        usual = self._options.get("model", "")
        if request.mode is Mode.INPAINT:
            shelf = replace(shelf, models=tuple(model for model in shelf.models if model.takes_masks))
        return model_for_controls(shelf, usual, [unit.kind for unit in request.control], request.mode)

    def _named(self, wanted: str, shelf: ModelShelf) -> LocalModel:
        if not wanted:
            return default_model(shelf, self._options.get("model", ""))
        names = {name: model for model in shelf.models for name in (model.name, model.title)}
        if (found := match_name(wanted, names)) is None:
            listed = ", ".join(model.title for model in shelf.models)
            raise RequestRejected(
                _("There is no model “{name}” on this machine; there is {listed}.", name=wanted, listed=listed),
                field="model",
            )
        return names[found]

    def _note(self, state: Mapping[str, Any]) -> None:
        if not state["model"]:
            self._state.loaded = None
            return
        before = self._state.loaded
        is_same = before is not None and before.model == state["model"] and before.way == state["rung"]
        self._state.loaded = LoadedModel(
            model=state["model"],
            device=state["name"],
            device_title=state["title"],
            dtype=state["dtype"],
            way=state["rung"],
            total_mb=state["total_mb"],
            free_mb=state["free_mb"],
            since=before.since if is_same and before else datetime.now(UTC),
        )
        if not is_same:
            fields = {"action": "model_loaded", "backend": self.name, "model": state["model"], "device": state["name"]}
            fields |= {"dtype": state["dtype"], "way": state["rung"], "memory_free_mb": state["free_mb"]}
            log.info("a model is in memory, on %s", state["title"], extra=fields)

    def _notes(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        notes = [NOTES[code] for code in values["notes"] if code in NOTES]
        state = values["state"]
        if state["is_set_back"]:
            notes.append(_("{device} is not there: the processor draws", device=state["is_set_back"]))
        if state["kind"] == "cpu" and not self._state.was_warned:
            self._state.was_warned = True
            if (usual_s := self._pace.usual_s) is not None:
                notes.append(_("no GPU was found: the processor draws, {seconds:.1f} s a step", seconds=usual_s))
        return tuple(notes)


def _child(module: str, options: Mapping[str, str], pace: StepPace) -> Child:
    """Make the child of a device; it never speaks to the hub."""
    variables = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DIFFUSERS_OFFLINE": "1"}
    variables["EASEL_DEVICE"] = options.get("device", "") or "auto"
    variables["EASEL_OFFLOAD"] = options.get("offload", "") or "auto"
    if visible := options.get("visible_devices", ""):
        variables["CUDA_VISIBLE_DEVICES"] = visible
    idle_s = float(options.get("idle_s", f"{IDLE_S:g}"))
    return Child(module, idle_s=idle_s, patience_s=pace.patience_s, silence_s=SILENCE_S, variables=variables)
