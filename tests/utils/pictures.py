"""Small picture files for tests, made on the spot."""

import io
import random

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (32, 24), mode: str = "RGB", **options: object) -> bytes:
    """Return a file with one flat colour."""
    buffer = io.BytesIO()
    Image.new(mode, size, options.pop("color", 120)).save(buffer, kind, **options)
    return buffer.getvalue()


def slope(size: tuple[int, int]) -> bytes:
    """Return a file that grows lighter from top to bottom, and is quickly made and read."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def noise(size: tuple[int, int], kind: str = "PNG", seed: int = 1) -> bytes:
    """Return a file that does not compress."""
    image = Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
