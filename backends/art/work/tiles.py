"""Enlarging a picture tile by tile, so that memory is bounded and the work can be stopped. Any network will do."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

from PIL import Image

from lazy import dataclass

Network = Callable[[Image.Image], Image.Image]  # an RGB picture in, the same so many times larger out


@dataclass(frozen=True)
class Tile:
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def tiles_of(width: int, height: int, side: int) -> list[Tile]:
    """Divide a picture into tiles of at most `side` pixels, about equally large, row by row."""
    return [
        Tile(left, top, right - left, bottom - top)
        for top, bottom in _parts(height, side)
        for left, right in _parts(width, side)
    ]


def enlarge(
    picture: Image.Image, network: Network, factor: int, *, side: int, overlap: int, on_tile: Callable[[int, int], None]
) -> Image.Image:
    """Return an RGB picture `factor` times larger.

    Args:
        picture: RGB.
        network: is shown each tile with `overlap` pixels of the picture around it, which are cut off again.
        factor: how many times larger the network makes a picture.
        side: of a tile, in pixels.
        overlap: in pixels; as wide as the network sees, no seam can be.
        on_tile: called before the first and after each tile with how many are done, of how many; may raise to stop.
    """
    plan = tiles_of(picture.width, picture.height, side)
    around = _with_edge(picture, overlap)
    result = Image.new("RGB", (picture.width * factor, picture.height * factor))
    edge = overlap * factor
    on_tile(0, len(plan))
    for number, tile in enumerate(plan, start=1):
        allowed, bottom = tile.left + tile.width + 2 * overlap, tile.top + tile.height + 2 * overlap
        large = network(around.crop((tile.left, tile.top, allowed, bottom)))
        inner = large.crop((edge, edge, edge + tile.width * factor, edge + tile.height * factor))
        result.paste(inner, (tile.left * factor, tile.top * factor))
        on_tile(number, len(plan))
    return result


def _parts(length: int, side: int) -> Iterator[tuple[int, int]]:
    count = max(1, math.ceil(length / side))
    ends = [round(length * number / count) for number in range(count + 1)]
    return pairwise(ends)


def _with_edge(picture: Image.Image, edge: int) -> Image.Image:
    """Continue the outermost pixels: a network shown nothing beyond the border darkens it."""
    if not edge:
        return picture
    width, height = picture.size
    wide = Image.new("RGB", (width + 2 * edge, height))
    wide.paste(picture, (edge, 0))
    wide.paste(picture.crop((0, 0, 1, height)).resize((edge, height)), (0, 0))
    wide.paste(picture.crop((width - 1, 0, width, height)).resize((edge, height)), (edge + width, 0))
    full = Image.new("RGB", (wide.width, height + 2 * edge))
    full.paste(wide, (0, edge))
    full.paste(wide.crop((0, 0, wide.width, 1)).resize((wide.width, edge)), (0, 0))
    full.paste(wide.crop((0, height - 1, wide.width, height)).resize((wide.width, edge)), (0, edge + height))
    return full
