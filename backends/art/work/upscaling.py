"""Enlarge a picture in the child process: Real-ESRGAN by ncnn, on the CPU.

Source: ncnn's Python examples (github.com/Tencent/ncnn, python/examples) for the calls, realesrgan-ncnn-vulkan for the
names of input and output and the range of their values.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from PIL import Image

from backends.art.work.networks import UpscalingNetwork, upscalers
from backends.art.work.tiles import Network, enlarge
from backends.child_side import Reporter
from texts.text import _
from utils.memory import free_bytes
from utils.pixels import encode, upright

MB: Final = 1024 * 1024
SPARE_BYTES: Final = 400 * MB  # libraries and weights, and what others need meanwhile
BYTES_PER_PIXEL: Final = 8  # of the result: itself, and a copy while it is resized and packed
SMALLER_TILES: Final = (128, 64, 32)  # pixels; where memory is short


def upscale(order: Mapping[str, Any], data: bytes, reporter: Reporter) -> tuple[Mapping[str, Any], list[bytes]]:
    """Enlarge a picture `order["factor"]` times by the upscaler `order["upscaler"]`, into a PNG.

    Raises:
        MemoryError: this machine has too little; the text says how much it needs.
        OrderStopped: nobody waits for it any more.
    """
    upscaler, factor = upscalers()[order["upscaler"]], order["factor"]
    source = upright(data)
    own_factor = upscaler.factor_for(factor)
    side = _affordable_side(source.size, upscaler, own_factor)
    network = _network(upscaler.name, own_factor, order["threads"] or os.cpu_count() or 1)
    picture = enlarge(
        source.convert("RGB"),
        network,
        own_factor,
        side=side,
        overlap=upscaler.overlap,
        on_tile=lambda done, count: reporter.report(done=done, count=count),
    )
    size = round(source.width * factor), round(source.height * factor)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if source.mode == "RGBA":
        picture.putalpha(source.getchannel("A").resize(size, Image.Resampling.LANCZOS))
    return {}, [encode(picture, "PNG")]


def _affordable_side(size: tuple[int, int], upscaler: UpscalingNetwork, factor: int) -> int:
    """Return the side of the tiles that fit into the memory there is: as usual, or smaller.

    Raises:
        MemoryError: there is not even enough for the smallest.
    """
    free = free_bytes()
    if free is None:
        return upscaler.tile
    fixed = SPARE_BYTES + size[0] * size[1] * factor**2 * BYTES_PER_PIXEL
    sides = [side for side in (upscaler.tile, *SMALLER_TILES) if side <= upscaler.tile]
    for side in sides:
        if fixed + _tile_bytes(side, upscaler) <= free:
            return side
    needed = fixed + _tile_bytes(sides[-1], upscaler)
    raise MemoryError(_("It needs {needed} MB, and {free} MB are free.", needed=needed // MB, free=max(0, free) // MB))


def _tile_bytes(side: int, upscaler: UpscalingNetwork) -> int:
    return (side + 2 * upscaler.overlap) ** 2 * upscaler.bytes_per_pixel


@lru_cache(maxsize=1)
def _network(name: str, factor: int, threads: int) -> Network:
    """Load an upscaler for one of its factors.

    Raises:
        NetworkDamaged: a file of it is not what it should be.
    """
    upscaler = upscalers()[name]
    ncnn, numpy = import_module("ncnn"), import_module("numpy")
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = threads
    graph, weights = upscaler.graphs[factor].checked(), upscaler.weights.checked()
    if net.load_param(str(graph)) or net.load_model(str(weights)):
        raise MemoryError  # what else keeps a file that was checked from being loaded

    def run(part: Image.Image) -> Image.Image:
        pixels = numpy.asarray(part)
        values = ncnn.Mat.from_pixels(pixels, ncnn.Mat.PixelType.PIXEL_RGB, part.width, part.height)
        values.substract_mean_normalize([], [1 / 255] * 3)
        extractor = net.create_extractor()
        extractor.input("data", values)
        failed, drawn = extractor.extract("output")
        if failed:
            raise MemoryError
        large = numpy.clip(numpy.array(drawn).transpose(1, 2, 0) * 255 + 0.5, 0, 255).astype(numpy.uint8)
        return Image.fromarray(large)

    return run
