"""A model in memory: read from its folder or its file, placed as its rung says, with the pipelines of its modes."""

from inspect import signature
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers
from diffusers.hooks import apply_layerwise_casting

from backends.child_side import OrderRefused
from backends.embedded.work.orders import ChildOrder, ModelFolder, Rung
from backends.embedded.work.pipelines import PIPELINES, TRANSFORMERS, pipeline_name
from backends.embedded.work.steering import Steering
from texts.text import _

EIGHT_BITS: Final = torch.float8_e4m3fn
# Layers that lose too much in 8 bits, and what a text encoder's words are looked up in.
KEPT: Final = ("norm", "embed", "pos_embed", "patch_embed", "proj_in", "proj_out", "shared", "wo")


class LoadedPipes:
    """A model in memory, and the pipelines of its modes, which share its parts."""

    def __init__(self, model: ModelFolder, pipe: Any, rung: Rung, dtype: str) -> None:
        self.model = model
        self.rung = rung
        self.dtype = dtype
        self.own_scheduler = pipe.scheduler
        self._pipes = {type(pipe).__name__: pipe}
        self._base = pipe
        self._placed: Any = None
        self.steering = Steering(model.family, getattr(torch, dtype))
        if rung is Rung.EIGHT_BIT:
            _keep_in_8_bits(pipe, getattr(torch, dtype))
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

    def pipeline(self, order: ChildOrder, device: torch.device) -> Any:
        """Return what draws in a mode, with the ControlNets of an order.

        Raises:
            OrderRefused: a ControlNet is damaged.
        """
        name = pipeline_name(order)
        networks = self.steering.networks(order.controls)
        if networks or name not in self._pipes:
            parts = self._base.components
            if networks:
                parts = parts | {"controlnet": networks[0] if len(networks) == 1 or order.has_union else networks}
            more: dict[str, Any] = (
                {"requires_safety_checker": False} if parts.get("safety_checker", self) is None else {}
            )
            if "is_distilled" in self._base.config:
                more["is_distilled"] = self._base.config.is_distilled
            chosen = getattr(diffusers, name)
            known = signature(chosen.__init__).parameters
            made = chosen(**{part: value for part, value in parts.items() if part in known}, **more)
            made.set_progress_bar_config(disable=True)
            self._pipes[name] = made
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
            if self.rung is Rung.EIGHT_BIT:
                _widen_loras(pipe, getattr(torch, self.dtype))
            pipe.set_adapters(names, [lora.weight for lora in order.loras])
        self._loras = order.loras


def read_pipeline(model: ModelFolder, dtype: str) -> Any:
    """Read a model's folder, or its file and of the folder what that lacks; nothing is asked of the hub."""
    folder = Path(model.path)
    more: dict[str, Any] = {}
    if not any(folder.glob("*/*[a-z].safetensors")) or any(folder.glob("unet/*.fp16.safetensors")):
        more["variant"] = "fp16"
    chosen = getattr(diffusers, PIPELINES[model.family]["txt2img"])
    kind = getattr(torch, dtype)
    if model.file and model.family not in TRANSFORMERS:
        return chosen.from_single_file(model.file, config=str(folder), torch_dtype=kind, local_files_only=True)
    if model.file:
        more["transformer"] = read_part(model, kind)
    if "safety_checker" in chosen._optional_components and not (folder / "safety_checker").is_dir():
        more |= {"safety_checker": None, "requires_safety_checker": False}
    pipe = chosen.from_pretrained(folder, dtype=kind, local_files_only=True, **more)
    encoder = getattr(pipe, "text_encoder", None)
    if isinstance(encoder, transformers.CLIPTextModel) and not hasattr(encoder, "text_model"):
        # CLIP skip of diffusers 0.42 looks for the layer where older versions of transformers had it; not as a module
        # of its own, which would be its own part
        object.__setattr__(encoder, "text_model", encoder)
    return pipe


def read_part(model: ModelFolder, dtype: torch.dtype) -> Any:
    """Read the part that draws from a single file; weights of a `.gguf` file stay packed."""
    more: dict[str, Any] = {}
    if model.is_packed:
        more["quantization_config"] = diffusers.GGUFQuantizationConfig(compute_dtype=dtype)
    part = getattr(diffusers, TRANSFORMERS[model.family]).from_single_file(
        model.file, config=model.path, subfolder="transformer", torch_dtype=dtype, local_files_only=True, **more
    )
    if model.is_packed:
        _unpack_what_is_no_layer(part, dtype)
    return part


def _unpack_what_is_no_layer(part: torch.nn.Module, dtype: torch.dtype) -> None:
    """Unpack what no layer unpacks itself: the library calculates with it as it is."""
    from diffusers.quantizers.gguf.utils import GGUFLinear, dequantize_gguf_tensor  # wants a package that may be absent

    for layer in part.modules():
        for name, values in layer.named_parameters(recurse=False):
            is_unpacked_there = isinstance(layer, GGUFLinear) and name == "weight"
            if hasattr(values, "quant_type") and not is_unpacked_there:
                plain = dequantize_gguf_tensor(values).to(dtype)
                setattr(layer, name, torch.nn.Parameter(plain, requires_grad=False))


def _keep_in_8_bits(pipe: Any, dtype: torch.dtype) -> None:
    """Keep the large parts in 8 bits; a layer is widened while it calculates."""
    for name, part in pipe.components.items():
        if isinstance(part, torch.nn.Module) and name != "vae":
            apply_layerwise_casting(part, EIGHT_BITS, dtype, skip_modules_pattern=KEPT)


def _widen_loras(pipe: Any, dtype: torch.dtype) -> None:
    """Have LoRAs calculate as the model does; they were given the form of the weights beside them."""
    for part in pipe.components.values():
        for name, values in part.named_parameters() if isinstance(part, torch.nn.Module) else ():
            if "lora_" in name and values.dtype == EIGHT_BITS:
                values.data = values.data.to(dtype)
