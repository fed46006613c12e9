"""Masks: white may change, whatever they were painted with."""

import io

import pytest
from PIL import Image

from utils.images import BadImage, clean_input
from utils.masks import mask_by_alpha, mask_by_picture


def png(mode: str, size: tuple[int, int], colour: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def half(mode: str, size: tuple[int, int], left: object, right: object) -> bytes:
    picture = Image.new(mode, size, right)
    picture.paste(left, (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], object, object]:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.size, image.getpixel((1, 1)), image.getpixel((image.width - 2, 1))


PHOTO = png("RGB", (64, 32), "navy")


def test_a_painted_mask_becomes_grey_and_the_picture_is_left_alone() -> None:
    masked = mask_by_picture(PHOTO, half("RGB", (64, 32), "white", "black"))
    assert masked.image == PHOTO
    assert pixels(masked.mask) == ("L", (64, 32), 255, 0)
    assert masked.notes == ()


def test_what_is_transparent_in_a_mask_stays_as_it_is() -> None:
    mask = half("RGBA", (64, 32), (255, 255, 255, 255), (255, 255, 255, 0))
    assert pixels(mask_by_picture(PHOTO, mask).mask)[2:] == (255, 0)


def test_a_mask_of_the_same_shape_is_stretched_and_that_is_told() -> None:
    masked = mask_by_picture(PHOTO, half("L", (128, 64), 255, 0))
    assert pixels(masked.mask) == ("L", (64, 32), 255, 0)
    assert masked.notes == ("mask 128×64 → 64×32",)


@pytest.mark.parametrize(
    ("mask", "words"),
    [(png("L", (32, 64), 255), "The mask is 32×64, the picture 64×32"), (png("L", (64, 32), 0), "all black")],
)
def test_a_mask_that_cannot_be_meant_is_refused(mask: bytes, words: str) -> None:
    with pytest.raises(BadImage, match=words):
        mask_by_picture(PHOTO, mask)


def test_an_all_white_mask_is_told() -> None:
    assert mask_by_picture(PHOTO, png("L", (64, 32), 255)).notes == ("the mask is all white: everything is redrawn",)


def test_transparency_is_the_mask_and_goes_from_the_picture() -> None:
    masked = mask_by_alpha(clean_input(half("RGBA", (64, 32), (9, 8, 7, 0), (1, 2, 3, 255))))
    assert masked is not None
    assert pixels(masked.mask) == ("L", (64, 32), 255, 0)
    assert pixels(masked.image) == ("RGB", (64, 32), (9, 8, 7), (1, 2, 3))


@pytest.mark.parametrize("picture", [PHOTO, png("RGBA", (64, 32), (1, 2, 3, 255))])
def test_a_solid_picture_holds_no_mask(picture: bytes) -> None:
    assert mask_by_alpha(picture) is None


def test_a_broken_file_is_told() -> None:
    with pytest.raises(BadImage):
        mask_by_alpha(PHOTO[:40])
