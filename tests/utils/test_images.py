"""Files are checked before they are decoded, cleaned before they leave, and fit what a door takes."""

import io
import struct
import zlib

import pytest
from PIL import Image

from constants import MAX_INPUT_IMAGE_BYTES
from tests.utils.pictures import noise, opened, picture
from utils import images
from utils.images import BadImage

KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


def png_claiming(width: int, height: int) -> bytes:
    """Return a small PNG whose header lies about its size, its checksum being right."""
    data = bytearray(picture())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decode", [False, True])
def test_a_whole_picture_is_told_by_its_bytes(kind, decode):
    info = images.inspect(picture(kind), decode=decode)
    assert (info.width, info.height, info.media_type, info.is_animated) == (32, 24, KINDS[kind], False)


def test_an_animation_is_recognised():
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert images.inspect(buffer.getvalue()).is_animated
    assert images.inspect(images.clean_input(buffer.getvalue())).media_type == "image/png"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("decode", [False, True])
def test_a_picture_that_is_cut_off_is_refused(kind, decode):
    data = noise((64, 64), kind)
    with pytest.raises(BadImage, match="damaged or cut off"):
        images.inspect(data[: len(data) * 2 // 3], decode=decode)


@pytest.mark.parametrize("data", [b"", b"hello", b"<html></html>", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"BM" * 40])
def test_what_is_no_picture_is_refused_in_a_sentence(data):
    with pytest.raises(BadImage, match=r"^This .*\.$"):
        images.inspect(data)


@pytest.mark.parametrize("size", [(8001, 8000), (12_000, 12_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size):
    with pytest.raises(BadImage, match="too many pixels"):
        images.inspect(png_claiming(*size), decode=True)


def test_a_heavy_input_is_refused_with_both_sizes():
    with pytest.raises(BadImage, match="10 MB, at most 10 MB"):
        images.clean_input(b"\0" * (MAX_INPUT_IMAGE_BYTES + 1))


def test_an_input_is_turned_upright_and_loses_its_metadata():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera with a serial number"
    data = picture("JPEG", (40, 20), exif=exif, comment=b"at home")
    cleaned = images.clean_input(data)
    assert opened(cleaned).size == (20, 40)
    assert b"Camera" not in cleaned
    assert b"at home" not in cleaned
    assert images.inspect(cleaned).media_type == "image/jpeg"


def test_an_input_loses_the_text_of_its_maker():
    labelled = images.with_parameters(picture(), "a secret prompt")
    assert b"secret" not in images.clean_input(labelled)


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("PNG", "P", "RGB"),
        ("PNG", "1", "L"),
        ("PNG", "L", "L"),
        ("PNG", "LA", "RGBA"),
        ("PNG", "RGBA", "RGBA"),
        ("JPEG", "CMYK", "RGB"),
        ("WEBP", "RGBA", "RGBA"),
    ],
)
def test_odd_colour_modes_become_plain_ones(kind, mode, expected):
    image = opened(images.clean_input(picture(kind, mode=mode, color=1 if mode in "1P" else None)))
    assert image.mode == expected


@pytest.mark.parametrize(("value", "grey"), [(0.0, 0), (0.5, 128), (1.0, 255), (128.0, 128)])
def test_floating_point_pixels_keep_their_brightness(value: float, grey: int) -> None:
    buffer = io.BytesIO()
    Image.new("F", (4, 4), value).save(buffer, "TIFF")
    assert opened(images.clean_input(buffer.getvalue())).getpixel((0, 0)) == grey


def test_sixteen_bit_grey_keeps_its_brightness():
    buffer = io.BytesIO()
    Image.new("I;16", (4, 4), 32768).save(buffer, "PNG")
    assert opened(images.clean_input(buffer.getvalue())).getpixel((0, 0)) == 128


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("text", ["a cat\nSteps: 1, Seed: 2, Size: 8x8", "猫, ünï 🐱\nSteps: 1"])
def test_parameters_go_in_and_come_out_without_touching_a_pixel(kind, text):
    data = noise((33, 17), kind)
    labelled = images.with_parameters(data, text)
    assert images.read_parameters(labelled) == text
    assert opened(labelled).tobytes() == opened(data).tobytes()
    assert images.inspect(labelled, decode=True) == images.inspect(data)


def test_pillow_reads_the_png_parameters_where_everybody_looks_for_them():
    assert opened(images.with_parameters(picture(), "a fox, ünï")).info["parameters"] == "a fox, ünï"
    assert opened(images.with_parameters(picture(), "猫")).info["parameters"] == "猫"


def test_a_transparent_webp_stays_transparent_with_parameters():
    data = picture("WEBP", mode="RGBA", color=(1, 2, 3, 40), lossless=True)
    labelled = opened(images.with_parameters(data, "a fox"))
    assert labelled.mode == "RGBA"
    assert labelled.tobytes() == opened(data).tobytes()


def test_the_exif_block_of_a_jpeg_is_kept_beside_the_parameters():
    exif = Image.Exif()
    exif[0x0131] = "an engine"
    labelled = images.with_parameters(picture("JPEG", exif=exif), "a fox")
    assert opened(labelled).getexif()[0x0131] == "an engine"
    assert images.read_parameters(labelled) == "a fox"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_parameters_of_the_engine_itself_are_left_alone(kind):
    labelled = images.with_parameters(picture(kind), "the engine's own")
    assert images.with_parameters(labelled, "ours") is labelled


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n\0\0\0\xff", picture("GIF")])
def test_a_file_without_parameters_has_none(data):
    assert images.read_parameters(data) is None


def test_a_picture_within_the_limit_is_passed_on_untouched():
    data = noise((64, 64))
    fitted = images.fit_bytes(data, len(data))
    assert fitted.data is data
    assert (fitted.media_type, fitted.is_smaller) == ("image/png", False)


def test_a_heavy_picture_becomes_webp_of_the_same_size_with_its_parameters():
    data = images.with_parameters(noise((256, 256)), "a fox")
    fitted = images.fit_bytes(data, len(data) - 1000)
    assert len(fitted.data) < len(data)
    assert (fitted.media_type, fitted.is_smaller) == ("image/webp", True)
    assert opened(fitted.data).size == (256, 256)
    assert images.read_parameters(fitted.data) == "a fox"


def test_a_very_heavy_picture_is_scaled_down_until_it_fits():
    fitted = images.fit_bytes(noise((400, 300)), 20_000)
    width, height = opened(fitted.data).size
    assert len(fitted.data) <= 20_000
    assert width < 400
    assert width / height == pytest.approx(4 / 3, rel=0.02)


def test_an_impossible_limit_is_refused():
    with pytest.raises(BadImage, match="small enough"):
        images.fit_bytes(noise((200, 200)), 10)


@pytest.mark.parametrize(
    ("count", "size", "shape"),
    [(1, (64, 64), (1, 1)), (2, (96, 64), (1, 2)), (3, (64, 64), (2, 2)), (4, (96, 64), (2, 2)), (9, (8, 8), (3, 3))],
)
def test_pictures_are_laid_out_to_be_large(count, size, shape):
    sheet = opened(images.grid([picture(size=size)] * count))
    gap = images.GRID_GAP_PX
    assert sheet.size == (shape[0] * (size[0] + gap) - gap, shape[1] * (size[1] + gap) - gap)


def test_a_sheet_stays_within_2048_pixels_and_shows_the_pictures_in_order():
    colors = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    sheet = opened(images.grid([picture(size=(1200, 900), color=color) for color in colors]))
    assert max(sheet.size) <= 2048
    width, height = sheet.size
    for (x, y), color in zip([(1, 1), (3, 1), (1, 3), (3, 3)], colors, strict=True):
        found = sheet.getpixel((width * x // 4, height * y // 4))
        assert found == pytest.approx(color, abs=12)


def test_labels_change_only_the_corners():
    parts = [picture(size=(200, 200), color=(90, 90, 90))] * 4
    bare, labelled = opened(images.grid(parts, labels=False)), opened(images.grid(parts, labels=True))
    assert bare.getpixel((8, 8)) != labelled.getpixel((8, 8))
    assert bare.getpixel((150, 150)) == labelled.getpixel((150, 150))


def test_thumbnails_shrink_and_previews_also_grow():
    small, large = picture(size=(60, 40)), picture(size=(600, 400), mode="RGBA", color=(0, 0, 0, 0))
    assert opened(images.thumbnail(small, 256)).size == (60, 40)
    assert opened(images.thumbnail(large, 300)).size == (300, 200)
    assert opened(images.preview(small)).size == (256, 171)
    assert opened(images.thumbnail(large, 300)).getpixel((9, 9)) == (255, 255, 255)
