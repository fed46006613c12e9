"""Model files of random weights in the layouts that ComfyUI knows its models by, for tests with a real ComfyUI.

The checkpoint is an SD 1.5 with one level instead of four and a text encoder whose layers do nothing; its VAE is a
TAESD. ComfyUI reads it as it reads any other. The pictures it draws are noise, but other words, another seed and
another LoRA give other noise. What a workflow names beside it is the same file under that name.
"""

import json
import math
import os
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

Shape = tuple[int, ...]
Tensors = dict[str, tuple[Shape, str]]  # what a tensor is filled with: "random", "one" or "zero"

CHANNELS: Final = 320  # by this and the next one ComfyUI knows an SD 1.5
WORD_WIDTH: Final = 768
TIME_WIDTH: Final = 4 * CHANNELS
VOCABULARY: Final = 49408
BYTES_EACH: Final = 2  # half floats
SEED: Final = 812

CHECKPOINT: Final = "sd15_tiny.safetensors"
LORA: Final = "tiny_style.safetensors"
UPSCALER: Final = "upscale_tiny.safetensors"
ALSO: Final = {
    "checkpoints": ("sdxl_tiny.safetensors", "Ärger <b>&amp; 'zwei'.safetensors"),
    "diffusion_models": (
        "flux1-dev.safetensors", "hidream_i1_full_fp8.safetensors", "qwen_image_fp8_e4m3fn.safetensors",
    ),
    "text_encoders": (
        "clip_l.safetensors", "clip_l_hidream.safetensors", "clip_g_hidream.safetensors",
        "llama_3.1_8b_instruct_fp8_scaled.safetensors", "qwen_2.5_vl_7b_fp8_scaled.safetensors",
        "t5xxl_fp16.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors",
    ),
    "vae": ("ae.safetensors", "qwen_image_vae.safetensors"),
}  # fmt: skip


def write_models(folder: Path) -> None:
    """Write all files below ComfyUI's folder `models`. Blocks for a few seconds: call it in a thread."""
    chance = random.Random(SEED)
    unet, words, vae = dict(_unet()), dict(_words()), dict(_vae())
    whole = _under("model.diffusion_model.", unet) | _under("cond_stage_model.transformer.", words)
    files = {
        f"checkpoints/{CHECKPOINT}": whole | _under("first_stage_model.", vae),
        "diffusion_models/first": unet,
        "text_encoders/first": words,
        "vae/first": vae,
        f"loras/{LORA}": dict(_lora()),
        f"upscale_models/{UPSCALER}": dict(_upscaler()),
        "controlnet/control_tiny.safetensors": dict(_control()),
    }
    for name, tensors in files.items():
        _write(folder / name, tensors, chance)
    for kind, names in ALSO.items():
        first = folder / kind / (CHECKPOINT if kind == "checkpoints" else "first")
        for name in names:
            os.link(first, folder / kind / name)
        if first.name == "first":
            first.unlink()


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: reported for name, reported in tensors.items()}


def _write(path: Path, tensors: Tensors, chance: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header, start = {}, 0
    for name, (shape, _) in tensors.items():
        end = start + math.prod(shape) * BYTES_EACH
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": (start, end)}
        start = end
    reported = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(reported).to_bytes(8, "little") + reported)
        for shape, fill in tensors.values():
            count = math.prod(shape)
            if fill == "zero":
                file.seek(count * BYTES_EACH, os.SEEK_CUR)  # a hole takes no room on the disk
            else:
                file.write(b"\x00\x3c" * count if fill == "one" else _random(shape, chance))
        file.truncate(8 + len(reported) + start)


def _random(shape: Shape, chance: random.Random) -> bytes:
    """Return half floats of either sign around 1 / sqrt(fan-in), so that layers neither fade nor explode."""
    count = math.prod(shape)
    fan_in = max(1, math.prod(shape[1:]))
    exponent = 15 - max(1, round(math.log2(fan_in) / 2 + 0.5))
    signs_and_fractions = int.from_bytes(b"\xff\x83" * count, "little")
    exponents = int.from_bytes((exponent << 10).to_bytes(2, "little") * count, "little")
    bits = int.from_bytes(chance.randbytes(count * BYTES_EACH), "little")
    return (bits & signs_and_fractions | exponents).to_bytes(count * BYTES_EACH, "little")


def _layer(name: str, *shape: int, bias: bool = True) -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield f"{name}.weight", (shape, "random")
    if bias:
        yield f"{name}.bias", (shape[:1], "zero")


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield f"{name}.weight", ((width,), "one")
    yield f"{name}.bias", ((width,), "zero")


def _unet() -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield from _encoder()
    for number in range(2):
        yield from _residual(f"output_blocks.{number}.0", 2 * CHANNELS)
        yield from _attention(f"output_blocks.{number}.1")
    yield from _norm("out.0", CHANNELS)
    yield from _layer("out.2", 4, CHANNELS, 3, 3)


def _encoder() -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield from _layer("time_embed.0", TIME_WIDTH, CHANNELS)
    yield from _layer("time_embed.2", TIME_WIDTH, TIME_WIDTH)
    yield from _layer("input_blocks.0.0", CHANNELS, 4, 3, 3)
    yield from _residual("input_blocks.1.0")
    yield from _attention("input_blocks.1.1")
    yield from _residual("middle_block.0")
    yield from _attention("middle_block.1")
    yield from _residual("middle_block.2")


def _residual(name: str, width: int = CHANNELS) -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield from _norm(f"{name}.in_layers.0", width)
    yield from _layer(f"{name}.in_layers.2", CHANNELS, width, 3, 3)
    yield from _layer(f"{name}.emb_layers.1", CHANNELS, TIME_WIDTH)
    yield from _norm(f"{name}.out_layers.0", CHANNELS)
    yield from _layer(f"{name}.out_layers.3", CHANNELS, CHANNELS, 3, 3)
    if width != CHANNELS:
        yield from _layer(f"{name}.skip_connection", CHANNELS, width, 1, 1)


def _attention(name: str) -> Iterator[tuple[str, tuple[Shape, str]]]:
    block = f"{name}.transformer_blocks.0"
    yield from _norm(f"{name}.norm", CHANNELS)
    yield from _layer(f"{name}.proj_in", CHANNELS, CHANNELS, 1, 1)
    for kind, width in (("attn1", CHANNELS), ("attn2", WORD_WIDTH)):
        yield from _layer(f"{block}.{kind}.to_q", CHANNELS, CHANNELS, bias=False)
        yield from _layer(f"{block}.{kind}.to_k", CHANNELS, width, bias=False)
        yield from _layer(f"{block}.{kind}.to_v", CHANNELS, width, bias=False)
        yield from _layer(f"{block}.{kind}.to_out.0", CHANNELS, CHANNELS)
    yield from _layer(f"{block}.ff.net.0.proj", 8 * CHANNELS, CHANNELS)
    yield from _layer(f"{block}.ff.net.2", CHANNELS, 4 * CHANNELS)
    for number in (1, 2, 3):
        yield from _norm(f"{block}.norm{number}", CHANNELS)
    yield from _layer(f"{name}.proj_out", CHANNELS, CHANNELS, 1, 1)


def _words() -> Iterator[tuple[str, tuple[Shape, str]]]:
    """Return what a word is comes through; its twelve layers add nothing, and take no room."""
    name = "text_model"
    yield f"{name}.embeddings.token_embedding.weight", ((VOCABULARY, WORD_WIDTH), "random")
    yield f"{name}.embeddings.position_embedding.weight", ((77, WORD_WIDTH), "random")
    for number in range(12):
        layer = f"{name}.encoder.layers.{number}"
        shapes = {f"self_attn.{part}_proj": (WORD_WIDTH, WORD_WIDTH) for part in ("q", "k", "v", "out")}
        shapes |= {"mlp.fc1": (4 * WORD_WIDTH, WORD_WIDTH), "mlp.fc2": (WORD_WIDTH, 4 * WORD_WIDTH)}
        for part, shape in shapes.items():
            yield f"{layer}.{part}.weight", (shape, "zero")
            yield f"{layer}.{part}.bias", (shape[:1], "zero")
        for norm in ("layer_norm1", "layer_norm2"):
            yield from _norm(f"{layer}.{norm}", WORD_WIDTH)
    yield from _norm(f"{name}.final_layer_norm", WORD_WIDTH)


def _vae() -> Iterator[tuple[str, tuple[Shape, str]]]:
    """A TAESD: numbers count the layers in a row, ReLUs and enlargements too."""
    width = 64
    blocks = {"encoder": (1, 3, 4, 5, 7, 8, 9, 11, 12, 13), "decoder": (3, 4, 5, 8, 9, 10, 13, 14, 15, 18)}
    resized = {"encoder": (2, 6, 10), "decoder": (7, 12, 17)}
    ends = {"encoder": ((0, width, 3), (14, 4, width)), "decoder": ((1, width, 4), (19, 3, width))}
    for side in ("encoder", "decoder"):
        for number, wide, narrow in ends[side]:
            yield from _layer(f"taesd_{side}.{number}", wide, narrow, 3, 3)
        for number in resized[side]:
            yield from _layer(f"taesd_{side}.{number}", width, width, 3, 3, bias=False)
        for number in blocks[side]:
            for part in (0, 2, 4):
                yield from _layer(f"taesd_{side}.{number}.conv.{part}", width, width, 3, 3)


def _lora() -> Iterator[tuple[str, tuple[Shape, str]]]:
    for number in (1, 2):
        name = f"lora_unet_middle_block_1_transformer_blocks_0_attn{number}_to_q"
        yield f"{name}.lora_up.weight", ((CHANNELS, 4), "random")
        yield f"{name}.lora_down.weight", ((4, CHANNELS), "random")
        yield f"{name}.alpha", ((1,), "one")


def _upscaler() -> Iterator[tuple[str, tuple[Shape, str]]]:
    """A Real-ESRGAN "compact" net that doubles: the last layer gives 3 colours for 2 x 2 pixels."""
    width = 8
    yield from _layer("body.0", width, 3, 3, 3)
    yield "body.1.weight", ((width,), "random")
    yield from _layer("body.2", width, width, 3, 3)
    yield "body.3.weight", ((width,), "random")
    yield from _layer("body.4", 3 * 2 * 2, width, 3, 3)


def _control() -> Iterator[tuple[str, tuple[Shape, str]]]:
    yield from _encoder()
    widths = (3, 16, 16, 32, 32, 96, 96, 256, CHANNELS)
    for number, (narrow, wide) in enumerate(pairwise(widths)):
        yield from _layer(f"input_hint_block.{2 * number}", wide, narrow, 3, 3)
    for number in range(2):
        yield from _layer(f"zero_convs.{number}.0", CHANNELS, CHANNELS, 1, 1)
    yield from _layer("middle_block_out.0", CHANNELS, CHANNELS, 1, 1)
