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
from backends.embedded.work.orders import ChildOrder, Device, ModelFolder, OnStep, Rung
from backends.embedded.work.pipelines import PIPELINES, arguments, strength_of
from backends.embedded.work.precision import precision_for
from backends.embedded.work.previews import preview
from backends.embedded.work.schedulers import scheduler_for
from texts.text import _

log = logging.getLogger(__name__)

PNG_LEVEL: Final = 3
SHORT_OF_MEMORY: Final = ("out of memory", "DefaultCPUAllocator", "can't allocate memory")  # no text: of torch


class DiffusersMaker:
    """Draws on one device. `wanted` is auto, cuda, cuda:1, mps or cpu."""

    def __init__(self, wanted: str = "auto") -> None:
        self._device = choose(wanted)
        self._loaded: _Loaded | None = None
        self._notes: list[str] = []
        torch.backends.cudnn.benchmark = False  # else the same seed may give other bytes
        torch.backends.cudnn.deterministic = True
        diffusers.utils.logging.disable_progress_bar()
        transformers.utils.logging.disable_progress_bar()

    def look(self) -> Device:
        return self._device.facts(self._loaded.dtype if self._loaded else "")

    def load(self, model: ModelFolder, rung: Rung) -> None:
        """Have a model ready.

        Raises:
            OrderRefused: its folder is not whole.
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
            pipe = _pipeline(model, dtype)
        except (OSError, ValueError, KeyError) as error:
            log.exception("a model cannot be loaded")
            message = _("The model {name} cannot be loaded: a file is missing or damaged.", name=model.name)
            raise OrderRefused(str(message)) from error
        pipe.set_progress_bar_config(disable=True)
        self._loaded = _Loaded(model, pipe, rung, dtype)
        self._loaded.place(pipe, device.device)

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        """Draw pictures of one request together.

        Raises:
            OrderRefused: a LoRA is not for this model.
        """
        assert self._loaded is not None, "loaded first"
        loaded = self._loaded
        self._notes = []
        if order.mode != "txt2img" and int(order.steps * strength_of(order)) < 1:
            return [_png(_opened(order.pictures[0]))] * len(seeds)  # so little strength leaves the source
        pipe = loaded.pipeline(order.mode, self._device.device)
        loaded.use_loras(pipe, order)
        is_flow = FAMILIES[order.model.family].is_flow
        pipe.scheduler, is_other = scheduler_for(loaded.own_scheduler, order.sampler, order.scheduler, is_flow=is_flow)
        values, notes = arguments(order, is_guided=loaded.is_guided)
        self._notes = [*notes, *(["own_sampler"] if is_other else [])]
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            drawn = pipe(
                **values,
                **_pictures(order),
                num_images_per_prompt=len(seeds),
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                callback_on_step_end=_callback(order, on_step, has_previews=loaded.rung is Rung.WHOLE),
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


class _Loaded:
    """A model in memory, and the pipelines of its modes, which share its parts."""

    def __init__(self, model: ModelFolder, pipe: Any, rung: Rung, dtype: str) -> None:
        self.model = model
        self.rung = rung
        self.dtype = dtype
        self.own_scheduler = pipe.scheduler
        self._pipes = {type(pipe).__name__: pipe}
        self._base = pipe
        self._placed: Any = None
        self._loras: tuple[Any, ...] = ()

    @property
    def is_guided(self) -> bool:
        """Return whether it takes guidance: FLUX.1-schnell does not, nor does a distilled FLUX.2."""
        if isinstance(self._base, diffusers.FluxPipeline):
            return bool(self._base.transformer.config.guidance_embeds)
        return not self._base.config.get("is_distilled", False)

    def place(self, pipe: Any, device: torch.device) -> None:
        """Have a pipeline's parts where its rung wants them."""
        if pipe is self._placed:
            return
        match self.rung:
            case Rung.MODEL_OFFLOAD:
                pipe.enable_model_cpu_offload(device=device)
            case Rung.SEQUENTIAL_OFFLOAD:
                pipe.enable_sequential_cpu_offload(device=device)
            case Rung.TILED if device.type == "cuda":
                pipe.enable_sequential_cpu_offload(device=device)
            case _:
                pipe.to(device)
        if self.rung is Rung.TILED:
            pipe.vae.enable_tiling()
        self._placed = pipe

    def pipeline(self, mode: str, device: torch.device) -> Any:
        name = PIPELINES[self.model.family][mode]
        if name not in self._pipes:
            parts = self._base.components
            more = {"requires_safety_checker": False} if parts.get("safety_checker", self) is None else {}
            if "is_distilled" in self._base.config:
                more["is_distilled"] = self._base.config.is_distilled
            self._pipes[name] = getattr(diffusers, name)(**parts, **more)
            self._pipes[name].set_progress_bar_config(disable=True)
        pipe = self._pipes[name]
        self.place(pipe, device)
        return pipe

    def use_loras(self, pipe: Any, order: ChildOrder) -> None:
        if order.loras == self._loras:
            return
        if self._loras:
            pipe.unload_lora_weights()
            self._loras = ()
        names = []
        for number, lora in enumerate(order.loras):
            path, name = Path(lora.path), f"lora{number}"
            try:
                pipe.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name=name)
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                pipe.unload_lora_weights()
                message = _("The LoRA {name} is not for the model {model}.", name=path.stem, model=self.model.name)
                raise OrderRefused(str(message), field="loras") from error
            names.append(name)
        if names:
            pipe.set_adapters(names, [lora.weight for lora in order.loras])
        self._loras = order.loras


def _pipeline(model: ModelFolder, dtype: str) -> Any:
    """Read a model's folder; nothing is asked of the hub."""
    folder = Path(model.path)
    more: dict[str, Any] = {}
    if not any(folder.glob("*/*[a-z].safetensors")) or any(folder.glob("unet/*.fp16.safetensors")):
        more["variant"] = "fp16"
    chosen = getattr(diffusers, PIPELINES[model.family]["txt2img"])
    if "safety_checker" in chosen._optional_components and not (folder / "safety_checker").is_dir():
        more |= {"safety_checker": None, "requires_safety_checker": False}
    pipe = chosen.from_pretrained(folder, dtype=getattr(torch, dtype), local_files_only=True, **more)
    encoder = getattr(pipe, "text_encoder", None)
    if isinstance(encoder, transformers.CLIPTextModel) and not hasattr(encoder, "text_model"):
        # CLIP skip of diffusers 0.42 looks for the layer where older versions of transformers had it; not as a module
        # of its own, which would be its own part
        object.__setattr__(encoder, "text_model", encoder)
    return pipe


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
