"""Pictures on a canvas and back: nothing is cut off, no pixel that a mask leaves alone changes, texts are kept."""

import io
import random
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, PngImagePlugin

from generation.framing import canvas_for, frame
from utils import canvas
from utils.canvas import Size, extend_canvas, framed, framed_mask, pasted_back, resized, unframed, upright_size
from utils.feather import feathered
from utils.image_text import with_parameters
from utils.images import read_parameters
from utils.pixels import BadImage

TILE = (61, 67)  # no engine's grid falls on it


def png(picture: Image.Image, **texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def halves(size: Size = (256, 256)) -> bytes:
    """Left half red, right half blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    return png(picture)


@cache
def tile(mode: str) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, TILE, random.Random(7).randbytes(TILE[0] * TILE[1] * channels))


def noise(size: Size, mode: str = "RGB") -> Image.Image:
    """Return a picture in which neighbours differ, and which is unlike itself moved; of each size always the same.

    Its tiles are each other's, turned round by some pixels: most of the time of a test would go to packing mere chance.
    """
    picture = Image.new(mode, size)
    for (column, x), (row, y) in product(enumerate(range(0, size[0], TILE[0])), enumerate(range(0, size[1], TILE[1]))):
        picture.paste(ImageChops.offset(tile(mode), column * 7, row * 11), (x, y))
    return picture


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def kept_pixels(picture: Image.Image, mask: Image.Image) -> bytes:
    """Return the pixels under the black of a mask, all others made one."""
    stencil = mask.point(lambda value: 255 if value else 0)
    return Image.composite(Image.new(picture.mode, picture.size), picture, stencil).tobytes()


def test_edges_are_drawn_out_and_the_picture_stays() -> None:
    extended = extend_canvas(halves(), left=0.5, right=0.5)
    picture, mask = opened(extended.picture), opened(extended.mask)
    assert picture.size == mask.size == (512, 256)
    assert [picture.getpixel((x, 128)) for x in (5, 140, 370, 505)] == [(255, 0, 0)] * 2 + [(0, 0, 255)] * 2
    assert mask.mode == "L"


@pytest.mark.parametrize("size", [(600, 400), (333, 512), (5, 4), (7, 900), (1000, 701)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("margins", [{"left": 0.5}, {"top": 0.5}, {"right": 0.5}, {"bottom": 0.5, "left": 0.25}])
def test_a_picture_of_any_size_stands_on_a_larger_canvas_untouched(
    size: Size, mode: str, margins: dict[str, float]
) -> None:
    picture = noise(size, mode)
    extended = extend_canvas(png(picture), **margins)
    grown, mask = opened(extended.picture), opened(extended.mask)
    wide = 1 + margins.get("left", 0) + margins.get("right", 0)
    assert grown.size == mask.size == (round(size[0] * wide), round(size[1] * (1 + sum(margins.values()) - wide + 1)))
    box = ImageChops.invert(mask).getbbox()
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == size
    assert grown.crop(box).tobytes() == picture.tobytes()


def test_a_canvas_beyond_the_most_pixels_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "MAX_PIXELS", 10_000)
    extended = extend_canvas(halves((100, 100)), right=0.5)
    size = opened(extended.picture).size
    assert size[0] * size[1] <= 10_200
    assert "made smaller first" in extended.notes[0]


@pytest.mark.parametrize("size", [(512, 384), (600, 400), (333, 77)])
def test_canvas_that_does_not_grow_keeps_the_size(size: Size) -> None:
    extended = extend_canvas(halves(size), left=0.25, top=0.25, right=0.25, bottom=0.25, grows=False)
    assert opened(extended.picture).size == opened(extended.mask).size == size
    assert extended.notes == ()


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 50)])
def test_even_a_tiny_picture_is_continued_on_each_side(size: Size) -> None:
    extended = extend_canvas(halves(size), left=0.1, top=0.1, right=0.1, bottom=0.1, grows=False)
    assert opened(extended.mask).convert("L").getextrema() == (0, 255)


def test_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(BadImage):
        extend_canvas(b"nothing", left=1)


def test_a_picture_lies_in_the_corner_with_its_edges_drawn_out() -> None:
    sent = opened(framed(halves((100, 60)), size=(100, 60), drawn=(128, 64), inner=(100, 60)))
    assert sent.size == (128, 64)
    assert sent.crop((0, 0, 100, 60)).tobytes() == opened(halves((100, 60))).tobytes()
    assert sent.getpixel((127, 63)) == (0, 0, 255)


def test_a_picture_on_the_grid_is_sent_as_it_is() -> None:
    data = halves((128, 64))
    assert framed(data, size=(128, 64), drawn=(128, 64), inner=(128, 64)) is data
    assert unframed(data, size=(128, 64), drawn=(128, 64), inner=(128, 64)) is data


def test_transparency_is_sent_as_white() -> None:
    data = png(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))
    sent = opened(framed(data, size=(64, 64), drawn=(64, 64), inner=(64, 64)))
    assert (sent.mode, sent.getpixel((5, 5))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_picture_is_looked_at_upright(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "PNG", exif=exif)
    size = (20, 40) if turn > 4 else (40, 20)
    assert upright_size(out.getvalue()) == size
    assert opened(framed(out.getvalue(), size=size, drawn=size, inner=size)).size == size


def test_texts_of_the_engine_are_kept() -> None:
    drawn = png(noise((128, 64)), parameters="a fox\nSteps: 20, Seed: 1", workflow='{"é": "漢"}')
    sizes = {"size": (100, 60), "drawn": (128, 64), "inner": (100, 60)}
    masked = pasted_back(drawn, halves((100, 60)), png(Image.new("L", (100, 60), 255)), **sizes, blur=4)
    for made in (unframed(drawn, **sizes), masked, resized(drawn, (50, 50))):
        assert read_parameters(made) == "a fox\nSteps: 20, Seed: 1"
        assert opened(made).text["workflow"] == '{"é": "漢"}'  # type: ignore[attr-defined]


def test_parameters_of_a_jpeg_are_kept() -> None:
    out = io.BytesIO()
    noise((128, 64)).save(out, "JPEG")
    made = unframed(with_parameters(out.getvalue(), "a fox"), size=(100, 60), drawn=(128, 64), inner=(100, 60))
    assert (opened(made).format, read_parameters(made)) == ("PNG", "a fox")


def test_transparent_parts_of_a_source_stay_transparent() -> None:
    source, mask = noise((64, 64), "RGBA"), Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    sizes = {"size": (64, 64), "drawn": (64, 64), "inner": (64, 64)}
    made = opened(pasted_back(png(noise((64, 64))), png(source), png(mask), **sizes, blur=4))
    assert made.mode == "RGBA"
    assert kept_pixels(made, mask) == kept_pixels(source, mask)
    assert made.getpixel((5, 30))[3] == 255  # type: ignore[index]


class Strange:
    """An engine that draws everything again, its own way of rounding sizes included."""

    def __init__(self, off: int) -> None:
        self.off = off

    def draw(self, source: bytes) -> bytes:
        picture = ImageChops.offset(ImageChops.invert(opened(source).convert("RGB")), 3, 5)
        return png(picture.resize((picture.width + self.off, picture.height)))


SIDES = st.one_of(*[st.integers(1, 90)] * 4, st.integers(1, 1500))
GRIDS = st.sampled_from([1, 8, 16, 64])


@st.composite
def masks(draw: st.DrawFn, size: Size) -> Image.Image:
    mask = Image.new("L", size, draw(st.sampled_from([0, 0, 0, 255])))
    for _ in range(draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))
        x2, y2 = draw(st.integers(x + 1, size[0])), draw(st.integers(y + 1, size[1]))
        mask.paste(draw(st.sampled_from([255, 255, 0, 90, 200])), (x, y, x2, y2))
    return mask


LEAST, MOST = st.integers(1, 128), st.integers(64, 2048)


@settings(max_examples=40, deadline=None)
@given(st.data(), SIDES, SIDES, GRIDS, LEAST, MOST, st.integers(-3, 3), st.integers(0, 64))
def test_what_a_mask_leaves_alone_stays_to_the_byte(
    data: st.DataObject, width: int, height: int, grid: int, least: int, most: int, off: int, blur: int
) -> None:
    size = (width, height)
    mode = data.draw(st.sampled_from(["RGB", "RGBA", "L"]))
    source, mask = noise(size, mode), data.draw(masks(size))
    drawn = canvas_for(size, grid, (least, most))
    place = frame(size, drawn)
    sizes = {"size": place.size, "drawn": place.drawn, "inner": place.inner}
    sent = framed(png(source), **sizes)
    assert opened(sent).size == opened(framed_mask(png(mask), png(source), **sizes)).size == drawn
    assert not drawn[0] % grid
    assert not drawn[1] % grid
    made = opened(pasted_back(Strange(off).draw(sent), png(source), png(mask), **sizes, blur=blur))
    assert made.size == size
    wanted = "RGBA" if mode == "RGBA" else "RGB"
    assert kept_pixels(made.convert(wanted), mask) == kept_pixels(source.convert(wanted), mask)
    assert opened(unframed(Strange(off).draw(sent), **sizes)).size == size


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 120), st.integers(1, 120), st.integers(0, 64))
def test_a_feather_lies_inside_the_mask_and_leaves_something_of_each_part(
    data: st.DataObject, width: int, height: int, blur: int
) -> None:
    mask = data.draw(masks((width, height)))
    soft = feathered(mask.copy(), blur)
    assert ImageChops.subtract(soft, mask).getbbox() is None
    assert bool(soft.getbbox()) == bool(mask.getbbox())


@pytest.mark.parametrize("blur", [1, 4, 8, 30, 64])
def test_a_feather_rises_from_the_edge_over_its_width(blur: int) -> None:
    mask = Image.new("L", (400, 400), 0)
    mask.paste(255, (100, 0, 400, 400))
    soft = feathered(mask, blur)
    row = [soft.getpixel((x, 200)) for x in range(400)]
    rise = [int(value) for value in row if isinstance(value, int | float)]
    assert rise == sorted(rise)
    assert rise[99] == 0
    assert rise[100] < 255
    assert rise[100 + blur + blur // 8 + 1] == 255
    assert rise[-1] == 255  # where the mask meets the picture's edge nothing fades


def test_a_thin_line_is_drawn_in_full() -> None:
    mask = Image.new("L", (60, 60), 0)
    mask.paste(255, (10, 10, 15, 50))
    mask.paste(255, (40, 5, 41, 6))
    soft = feathered(mask, 8)
    assert (soft.getpixel((12, 30)), soft.getpixel((40, 5))) == (255, 255)
