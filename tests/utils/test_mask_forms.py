"""Masks as people paint them: what was painted is white, or a refusal names the form."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from utils.images import BadImage, clean_input
from utils.masks import mask_by_picture

CASES = Path(__file__).parents[1] / "data/cases"
SIZE = (256, 192)
SPOT = (60, 50, 160, 140)
NOISE = [Image.effect_noise(SIZE, 120).filter(ImageFilter.BoxBlur(1)) for _ in range(3)]
SKY = [Image.linear_gradient("L").resize(SIZE).rotate(turn) for turn in (0, 180, 0)]
PHOTO = Image.blend(Image.merge("RGB", NOISE), Image.merge("RGB", SKY), 0.5)


def file(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def painted(ground: Image.Image, colour: object) -> Image.Image:
    picture = ground.copy()
    ImageDraw.Draw(picture).ellipse(SPOT, fill=colour)  # type: ignore[arg-type]
    return picture


def read(mask: Image.Image, picture: Image.Image = PHOTO, kind: str = "PNG") -> tuple[int, int]:
    """Return the mask inside and outside of what was painted."""
    with Image.open(io.BytesIO(mask_by_picture(file(picture), clean_input(file(mask, kind))).mask)) as made:
        assert made.mode == "L"
        return made.getpixel((110, 95)), made.getpixel((20, 20))  # type: ignore[return-value]


@pytest.mark.parametrize("colour", ["red", "blue", "white", "yellow", (128, 128, 128), (200, 30, 160)])
@pytest.mark.parametrize("ground", [(0, 0, 0, 0), (255, 255, 255, 0)])
@pytest.mark.parametrize("strength", [255, 128, 60])
def test_paint_on_a_transparent_layer_is_white(colour: object, ground: object, strength: int) -> None:
    mask = Image.new("RGBA", SIZE, ground)  # type: ignore[arg-type]
    paint = Image.new("RGBA", SIZE, colour)  # type: ignore[arg-type]
    paint.putalpha(strength)
    stencil = painted(Image.new("L", SIZE, 0), 255)
    assert read(Image.composite(paint, mask, stencil)) == (255, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("colour", "ground"),
    [
        ("blue", "white"),
        ("red", "white"),
        ("blue", "black"),
        ("red", "black"),
        ("white", "black"),
        ("lime", "gray"),
        ((128, 128, 128), "black"),
        ((60, 60, 60), "black"),
    ],
)
def test_paint_on_a_ground_of_one_colour_is_white(colour: object, ground: str, kind: str) -> None:
    inside, outside = read(painted(Image.new("RGB", SIZE, ground), colour), kind=kind)
    assert inside >= 250
    assert outside <= 5


@pytest.mark.parametrize("colour", ["red", "blue", "lime", "yellow", (200, 30, 160)])
@pytest.mark.parametrize("ground", ["black", "white", "gray"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_paint_that_covers_most_of_the_edges_is_white(colour: object, ground: str, share: float) -> None:
    mask = Image.new("RGB", SIZE, ground)
    mask.paste(colour, (0, 0, SIZE[0], round(SIZE[1] * share)))  # type: ignore[arg-type]
    with Image.open(io.BytesIO(mask_by_picture(file(PHOTO), file(mask)).mask)) as image:
        assert (image.getpixel((9, 9)), image.getpixel((9, SIZE[1] - 5))) == (255, 0)


@pytest.mark.parametrize("colour", ["red", "blue", "white", "black"])
def test_paint_over_the_picture_itself_is_white(colour: str) -> None:
    assert read(painted(PHOTO, colour)) == (255, 0)


def test_an_erased_picture_is_white_where_it_was_erased() -> None:
    mask = PHOTO.convert("RGBA")
    mask.putalpha(painted(Image.new("L", SIZE, 255), 0))
    assert read(mask) == (255, 0)


def test_a_soft_edge_stays_soft() -> None:
    soft = painted(Image.new("L", SIZE, 0), 255).filter(ImageFilter.GaussianBlur(12))
    assert read(soft)[1] == 0
    gradient = Image.linear_gradient("L").resize(SIZE)
    made = mask_by_picture(file(PHOTO), file(gradient)).mask
    with Image.open(io.BytesIO(made)) as image:
        assert abs(image.getpixel((100, 96)) - 128) < 4  # type: ignore[operator]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (PHOTO.rotate(180), "photo"),
        (PHOTO.rotate(180).convert("L"), "photo in greys"),
        (Image.new("RGB", SIZE, (9, 90, 200)), "one colour"),
        (Image.new("L", SIZE, 128), "one grey"),
        (painted(Image.new("RGBA", SIZE), "black"), "black on a transparent layer"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_by_name(mask: Image.Image, words: str) -> None:
    with pytest.raises(BadImage, match=words):
        read(mask)


def sides(mask: str, picture: Image.Image) -> tuple[int, int]:
    made = mask_by_picture(file(picture), clean_input((CASES / mask).read_bytes())).mask
    with Image.open(io.BytesIO(made)) as image:
        return image.getpixel((40, 128)), image.getpixel((220, 128))  # type: ignore[return-value]


@pytest.mark.parametrize("picture", [Image.new("RGB", (256, 256), (30, 120, 200)), PHOTO.resize((256, 256))])
def test_a_red_brush_is_white(picture: Image.Image) -> None:
    assert sides("28-mask-red-brush.png", picture) == (255, 0)


def test_a_picture_with_its_left_half_erased_changes_there() -> None:
    assert sides("28b-mask-erased-picture.png", Image.new("RGB", (256, 256), (30, 120, 200))) == (255, 0)
    with pytest.raises(BadImage, match="erased"):
        sides("28b-mask-erased-picture.png", PHOTO.resize((256, 256)))
