"""The maker that draws with OpenVINO's pipelines: models in its own form, on a processor or Intel's GPU.

Source: the library's own description of its image generation, and its samples. A callback that raises would end the
process: what it raises is kept, and raised when the pipeline has stopped.
"""

import gc
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from PIL import Image

from backends.child_side import OrderRefused
from backends.embedded.models.families import OPENVINO_UNMASKED, SD15, SDXL
from backends.embedded.work.openvino_alone import genai, openvino
from backends.embedded.work.orders import ChildOrder, Device, LoraFile, ModelFolder, OnStep, Rung
from backends.embedded.work.pipelines import NEGATIVE, strength_of
from backends.embedded.work.weights import without_weights
from texts.text import _
from utils.memory import free_bytes

log = logging.getLogger(__name__)

PNG_LEVEL: Final = 1  # 30 ms quicker a picture than 3, and a tenth larger
MB: Final = 2**20
PREVIEW_QUALITY: Final = 75
PREVIEW_SIDE: Final = 256
LORA_FAMILIES: Final = frozenset({SD15, SDXL})
SHORT_OF_MEMORY: Final = ("bad_alloc", "out of memory", "OUT_OF_RESOURCES", "alloc")  # no text: of OpenVINO


class OpenVinoMaker:
    """Draws on one device. `wanted` is auto, cpu, gpu or gpu.1; auto is Intel's GPU where there is one."""

    most_at_once: int | None = 1  # each picture has its own seed

    def choose(self, model: ModelFolder) -> None:
        """Do nothing: it has one device."""

    def __init__(self, wanted: str = "auto") -> None:
        self._core = openvino.Core()
        self._device, self._is_set_back = _choose(self._core.available_devices, wanted)
        self._pipes: _Pipes | None = None
        self._notes: list[str] = []

    def look(self) -> Device:
        title = str(self._core.get_property(self._device, "FULL_DEVICE_NAME"))
        free = free_bytes() if self._device == "CPU" else None
        return Device(
            name=self._device.lower(),
            kind="cpu" if self._device == "CPU" else "xpu",
            title=title,
            dtype="openvino",
            free_mb=None if free is None else free // MB,
            is_set_back=self._is_set_back,
        )

    def load(self, model: ModelFolder, rung: Rung) -> None:
        """Have a model ready.

        Raises:
            OrderRefused: its folder is not whole.
            MemoryError: the memory is too small, found before the system ends this process.
        """
        free_mb = self.look().free_mb
        if free_mb is not None and model.weights_mb > free_mb:
            raise MemoryError(f"{model.name} needs {model.weights_mb} MB, and {free_mb} MB are free")  # no text: log
        try:
            self._pipes = _Pipes(model, self._device)
        except RuntimeError as error:
            if self.is_out_of_memory(error):
                raise
            log.exception("a model cannot be loaded")
            message = _("The model {name} cannot be loaded: a file is missing or damaged.", name=model.name)
            raise OrderRefused(str(message)) from error

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        """Draw pictures of one request, one after the other.

        Raises:
            OrderRefused: the model cannot do what is asked.
        """
        assert self._pipes is not None, "loaded first"
        self._notes = []
        if order.mode != "txt2img" and int(order.steps * strength_of(order)) < 1:
            return [_png(_opened(order.pictures[0]))] * len(seeds)  # so little strength leaves the source
        values = self._values(order)
        if order.loras or self._pipes.adapters:  # else those that it was read with would count
            values["adapters"] = self._adapters(order)
        pictures = []
        for seed in seeds:
            steps = _Steps(self._pipes.decoder(), on_step)
            drawn = self._pipes.draw(order, values | {"rng_seed": seed % 2**63, "callback": steps.on_step})
            if steps.raised is not None:
                raise steps.raised
            pictures.append(_png(Image.fromarray(np.array(drawn.data)[0])))
        return pictures

    def notes(self) -> list[str]:
        return self._notes

    def unload(self) -> None:
        self._pipes = None
        gc.collect()

    def free_cache(self) -> None:
        gc.collect()

    def is_out_of_memory(self, error: Exception) -> bool:
        if isinstance(error, MemoryError):
            return True
        return isinstance(error, RuntimeError) and any(words in str(error) for words in SHORT_OF_MEMORY)

    def _values(self, order: ChildOrder) -> dict[str, Any]:
        """Return what a pipeline is called with, and note what it cannot be told."""
        family = order.model.family
        prompt, unwanted = without_weights(order.prompt), without_weights(order.negative_prompt)
        values: dict[str, Any] = {
            "width": order.width,
            "height": order.height,
            "num_inference_steps": order.steps,
            "guidance_scale": order.cfg_scale if order.guidance is None else order.guidance,
        }
        if family in NEGATIVE and unwanted:
            values["negative_prompt"] = unwanted
        lost = {
            "no_word_weights": (prompt, unwanted) != (order.prompt, order.negative_prompt),
            "no_negative_prompt": bool(unwanted) and "negative_prompt" not in values,
            "no_clip_skip": (order.clip_skip or 1) > 1,
            "own_sampler": order.sampler is not None or order.scheduler not in (None, "Automatic"),
        }
        self._notes = [code for code, is_lost in lost.items() if is_lost]
        if order.mode != "txt2img":
            values["strength"] = strength_of(order)
        return values

    def _adapters(self, order: ChildOrder) -> Any:
        """Return the LoRAs of an order with their weights; a model is read again for those that it has not met.

        Raises:
            OrderRefused: they do not work with this model.
        """
        assert self._pipes is not None, "loaded first"
        if order.loras and order.model.family not in LORA_FAMILIES:
            message = _("LoRAs do not work with the model {name} here.", name=order.model.name)
            raise OrderRefused(str(message), field="loras")
        if any(lora.path not in self._pipes.adapters for lora in order.loras):
            self._pipes = None
            self._pipes = _Pipes(order.model, self._device, order.loras)
        config = genai.AdapterConfig()
        for lora in order.loras:
            config.add(self._pipes.adapters[lora.path], lora.weight)
        return config


class _Pipes:
    """The pipelines of a model, which share its parts; the one that takes a mask is the largest.

    LoRAs are named when a model is read, so that it has places for them.
    """

    def __init__(self, model: ModelFolder, device: str, loras: Sequence[LoraFile] = ()) -> None:
        self.adapters = {lora.path: genai.Adapter(lora.path) for lora in loras}
        self._has_mask = model.family not in OPENVINO_UNMASKED
        more: dict[str, Any] = {}
        if self.adapters:
            more["adapters"] = genai.AdapterConfig(list(self.adapters.values()))
        if self._has_mask:
            self._masked = genai.InpaintingPipeline(model.path, device, **more)
            self._from_picture = genai.Image2ImagePipeline(self._masked)
            self._plain = genai.Text2ImagePipeline(self._masked)
        else:
            self._from_picture = genai.Image2ImagePipeline(model.path, device)
            self._plain = genai.Text2ImagePipeline(model.path, device)

    def decoder(self) -> Callable[[Any], Any]:
        decode: Callable[[Any], Any] = self._plain.decode
        return decode

    def draw(self, order: ChildOrder, values: dict[str, Any]) -> Any:
        words = without_weights(order.prompt)
        if order.mode == "txt2img":
            return self._plain.generate(words, **values)
        source = _tensor(_opened(order.pictures[0]))
        if order.mode == "img2img":
            return self._from_picture.generate(words, source, **values)
        if not self._has_mask:
            message = _("The model {name} cannot redraw a part of a picture here.", name=order.model.name)
            raise OrderRefused(str(message), field="mask_image")
        return self._masked.generate(words, source, _tensor(_opened(order.pictures[1])), **values)


class _Steps:
    """Hands steps on. What that raises stops the pipeline, and is kept."""

    def __init__(self, decode: Callable[[Any], Any], on_step: OnStep) -> None:
        self._decode = decode
        self._on_step = on_step
        self.raised: BaseException | None = None

    def on_step(self, step: int, count: int, latent: Any) -> bool:
        try:
            self._on_step(step + 1, lambda: _jpeg(self._decode(latent)))
        except BaseException as error:  # it would end this process
            self.raised = error
        return self.raised is not None


def _choose(there: Sequence[str], wanted: str) -> tuple[str, str]:
    """Return OpenVINO's name of a device, and what was asked for in vain."""
    wanted = wanted.strip().upper() or "AUTO"
    gpus = [name for name in there if name.startswith("GPU")]
    if wanted in {"AUTO", "GPU", "XPU"} and gpus:
        return gpus[0], ""
    if wanted in there:
        return wanted, ""
    return "CPU", "" if wanted in {"AUTO", "CPU"} else wanted.lower()


def _tensor(picture: Image.Image) -> Any:
    return openvino.Tensor(np.array(picture)[None])


def _jpeg(decoded: Any) -> bytes:
    picture = Image.fromarray(np.array(decoded.data)[0])
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=PREVIEW_QUALITY)
    return buffer.getvalue()


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()
