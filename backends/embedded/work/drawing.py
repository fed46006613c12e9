"""The maker that draws with the diffusers library: any of its devices, one model in memory."""

import gc
import io
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers
from PIL import Image

from backends.child_side import OrderRefused
from backends.embedded.models.families import FAMILIES
from backends.embedded.work.devices import choose
from backends.embedded.work.loaded import LoadedPipes, read_pipeline
from backends.embedded.work.orders import ChildOrder, Device, ModelFolder, OnStep, Rung
from backends.embedded.work.pipelines import PIPELINES, arguments, strength_of
from backends.embedded.work.precision import precision_for
from backends.embedded.work.previews import preview
from backends.embedded.work.schedulers import scheduler_for
from backends.embedded.work.steering import steered
from backends.embedded.work.words import WORDS, as_numbers, needs_numbers
from texts.text import _

log = logging.getLogger(__name__)

PNG_LEVEL: Final = 1  # 30 ms quicker a picture than 3, and a tenth larger
IN_MEMORY: Final = frozenset({Rung.WHOLE, Rung.EIGHT_BIT})  # all of it: a preview costs little
SHORT_OF_MEMORY: Final = ("out of memory", "DefaultCPUAllocator", "can't allocate memory")  # no text: of torch


class DiffusersMaker:
    """Draws on one device. `wanted` is auto, cuda, cuda:1, mps or cpu."""

    def __init__(self, wanted: str = "auto") -> None:
        self._device = choose(wanted)
        self._loaded: LoadedPipes | None = None
        self._notes: list[str] = []
        torch.backends.cudnn.benchmark = False  # else the same seed may give other bytes
        torch.backends.cudnn.deterministic = True
        diffusers.utils.logging.disable_progress_bar()
        transformers.utils.logging.disable_progress_bar()

    most_at_once: int | None = None

    def choose(self, model: ModelFolder) -> None:
        """Do nothing: it has one device."""

    def look(self) -> Device:
        return self._device.facts(self._loaded.dtype if self._loaded else "")

    def load(self, model: ModelFolder, rung: Rung) -> None:
        """Have a model ready.

        Raises:
            OrderRefused: its folder is not whole, or its file fits no such folder.
            MemoryError: the processor's memory is too small, found before the system ends this process.
        """
        device = self._device
        free_mb = device.facts().free_mb
        if device.kind == "cpu" and free_mb is not None and model.weights_mb > free_mb:
            raise MemoryError(f"{model.name} needs {model.weights_mb} MB, and {free_mb} MB are free")  # no text: log
        dtype = precision_for(
            device.kind, model.family, has_bf16=device.has_bf16, weights_mb=model.weights_mb, free_mb=free_mb
        )
        try:
            pipe = read_pipeline(model, dtype)
        except (OSError, ValueError, LookupError, RuntimeError, TypeError) as error:
            if self.is_out_of_memory(error):
                raise
            log.exception("a model cannot be loaded")
            message = _("The model {name} cannot be loaded: a file is missing or damaged.", name=model.name)
            if model.file:
                base = Path(model.path).name
                message = _(
                    "The file {name} is damaged, or does not fit the model {base} that lends it what it lacks.",
                    name=Path(model.file).name,
                    base=base,
                )
            raise OrderRefused(str(message)) from error
        pipe.set_progress_bar_config(disable=True)
        self._loaded = LoadedPipes(model, pipe, rung, dtype)
        self._loaded.place(pipe, device.device)

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        """Draw pictures of one request together.

        Raises:
            OrderRefused: a LoRA or a ControlNet is not for this model.
        """
        assert self._loaded is not None, "loaded first"
        loaded = self._loaded
        self._notes = []
        if order.mode != "txt2img" and int(order.steps * strength_of(order)) < 1:
            return [_png(_opened(order.pictures[0]))] * len(seeds)  # so little strength leaves the source
        pipe = loaded.pipeline(order, self._device.device)
        loaded.use_loras(pipe, order)
        is_flow = FAMILIES[order.model.family].is_flow
        pipe.scheduler, is_other = scheduler_for(loaded.own_scheduler, order.sampler, order.scheduler, is_flow=is_flow)
        values, notes = arguments(order, is_guided=loaded.is_guided)
        self._notes = [*notes, *(["own_sampler"] if is_other else [])]
        if needs_numbers(pipe, order):
            values = {name: value for name, value in values.items() if name not in WORDS} | as_numbers(pipe, order)
        if order.controls:
            more, notes = steered(order, [_opened(data) for data in order.control_pictures], loaded.steering)
            values |= more
            self._notes += notes
            torch.manual_seed(seeds[0])  # some pipelines read these pictures by chance
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            drawn = pipe(
                **values,
                **_pictures(order),
                num_images_per_prompt=len(seeds),
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                callback_on_step_end=_callback(order, on_step, has_previews=loaded.rung in IN_MEMORY),
            )
        for number, is_held in enumerate(getattr(drawn, "nsfw_content_detected", None) or ()):
            if is_held:
                self._notes.append(f"held_back:{seeds[number]}")
        return [_png(picture) for picture in drawn.images]

    def notes(self) -> list[str]:
        return self._notes

    def unload(self) -> None:
        self._loaded = None
        gc.collect()

    def free_cache(self) -> None:
        gc.collect()
        self._device.free_cache()

    def is_out_of_memory(self, error: Exception) -> bool:
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            return True
        return isinstance(error, RuntimeError) and any(words in str(error) for words in SHORT_OF_MEMORY)


def _pictures(order: ChildOrder) -> dict[str, Any]:
    if order.mode == "txt2img":
        return {}
    values: dict[str, Any] = {"image": _opened(order.pictures[0])}
    if order.mode == "inpaint":
        values["mask_image"] = _opened(order.pictures[1], "L")
    elif PIPELINES[order.model.family]["img2img"] == PIPELINES[order.model.family]["inpaint"]:
        values["mask_image"] = Image.new("L", values["image"].size, 255)
    return values


def _callback(order: ChildOrder, on_step: OnStep, *, has_previews: bool) -> Callable[..., dict[str, Any]]:
    def callback(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        on_step(step + 1, lambda: preview(pipe, values["latents"], order) if has_previews else None)
        return values

    return callback


def _opened(data: bytes, mode: str = "RGB") -> Image.Image:
    return Image.open(io.BytesIO(data)).convert(mode)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()
