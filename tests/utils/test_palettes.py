"""The colours of one picture on another."""

import io

import pytest
from PIL import Image, ImageStat

from utils.images import BadImage
from utils.palettes import with_palette_of


def file_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def striped(dark: str, light: str) -> bytes:
    image = Image.new("RGB", (64, 48), dark)
    image.paste(light, (0, 0, 32, 48))
    return file_of(image)


def means(data: bytes) -> list[float]:
    return ImageStat.Stat(Image.open(io.BytesIO(data)).convert("YCbCr")).mean


CONTENT, STYLE = striped("#102040", "#406090"), striped("#b06020", "#f0c060")


def test_all_the_way_the_means_are_those_of_the_style():
    made = with_palette_of(CONTENT, STYLE, 1.0)
    assert means(made) == pytest.approx(means(STYLE), abs=6)
    assert Image.open(io.BytesIO(made)).size == (64, 48)


def test_strength_goes_from_nothing_to_everything():
    lightness = [means(with_palette_of(CONTENT, STYLE, strength))[0] for strength in (0, 0.5, 1)]
    assert lightness == sorted(lightness)
    assert lightness[0] == pytest.approx(means(CONTENT)[0], abs=1)


def test_what_is_where_stays():
    made = Image.open(io.BytesIO(with_palette_of(CONTENT, STYLE, 1.0))).convert("L")
    assert made.getpixel((10, 10)) > made.getpixel((50, 10))


def test_a_flat_style_does_not_turn_to_noise_and_no_picture_is_refused():
    made = with_palette_of(CONTENT, file_of(Image.new("RGB", (8, 8), "red")), 1.0)
    assert means(made) == pytest.approx(means(file_of(Image.new("RGB", (8, 8), "red"))), abs=8)
    with pytest.raises(BadImage):
        with_palette_of(CONTENT, b"no picture", 1.0)
