"""`extend_canvas`: the picture keeps its place and pixels, its edges are drawn out, the mask tells which is which."""

import io

import pytest
from PIL import Image

from utils.images import BadImage, extend_canvas


def halves(size: tuple[int, int] = (256, 256)) -> bytes:
    """Left half red, right half blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_edges_are_drawn_out_and_the_picture_stays() -> None:
    canvas, mask = map(opened, extend_canvas(halves(), left=0.5, right=0.5))
    assert canvas.size == mask.size == (512, 256)
    assert [canvas.getpixel((x, 128)) for x in (5, 140, 370, 505)] == [(255, 0, 0)] * 2 + [(0, 0, 255)] * 2
    assert mask.mode == "L"


def test_mask_reaches_a_little_into_the_picture_but_only_where_something_is_new() -> None:
    _, data = extend_canvas(halves(), right=0.5)
    mask = opened(data)
    assert mask.size == (384, 256)
    row = [mask.getpixel((x, 128)) for x in range(384)]
    assert row.index(255) == 256 - 8
    assert set(row[:248]) == {0}
    assert {mask.getpixel((10, y)) for y in (0, 255)} == {0}


@pytest.mark.parametrize("size", [(1000, 700), (333, 512), (2400, 1800), (70, 2000)])
def test_sides_are_multiples_of_64_and_the_pixels_bounded(size: tuple[int, int]) -> None:
    canvas = opened(extend_canvas(halves(size), left=0.25, top=0.25, right=0.25, bottom=0.25)[0])
    assert not canvas.width % 64
    assert not canvas.height % 64
    assert canvas.width * canvas.height <= 1.1 * 1536 * 1536


def test_canvas_that_does_not_grow_keeps_the_size() -> None:
    canvas = opened(extend_canvas(halves((512, 384)), left=0.5, top=0.5, right=0.5, bottom=0.5, grows=False)[0])
    assert canvas.size == (512, 384)


def test_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(BadImage):
        extend_canvas(b"nothing", left=1)
