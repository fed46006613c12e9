"""Pictures as people have them: other colours, other kinds, other ends than an engine's."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tests.utils.pictures import noise, opened, picture
from utils import file_kinds, images
from utils.images import BadImage, clean_input, inspect

CASES = Path(__file__).parents[1] / "data/cases"
with Image.open(CASES / "24-icc-display-p3.png") as case:
    P3 = case.info["icc_profile"]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED = (230, 40, 40)


def near(item: object, two: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(item, two, strict=True))  # type: ignore[call-overload]


def test_display_p3_becomes_srgb() -> None:
    image = opened(clean_input((CASES / "24-icc-display-p3.png").read_bytes()))
    colours = [colour for _, colour in image.getcolors(9) or []]
    assert any(near(colour, (252, 0, 6)) for colour in colours)
    assert any(near(colour, (0, 225, 0)) for colour in colours)
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_profile_is_used_up_in_every_format(kind: str) -> None:
    options = {"quality": 100} | ({"lossless": True} if kind == "WEBP" else {})
    data = picture(kind, mode="RGB", color=RED, icc_profile=P3, **options)
    made = opened(clean_input(data))
    assert all(abs(a - b) <= 8 for a, b in zip(made.getpixel((9, 9)), (252, 0, 6), strict=True))  # type: ignore[call-overload,arg-type]
    assert "icc_profile" not in made.info


def test_a_transparent_picture_keeps_its_alpha() -> None:
    made = opened(clean_input(picture(mode="RGBA", color=(*RED, 99), icc_profile=P3)))
    assert near(made.getpixel((1, 1)), (252, 0, 6, 99))


def test_a_palette_is_converted_too() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), RED).quantize(4).save(buffer, "PNG", icc_profile=P3)
    assert near(opened(clean_input(buffer.getvalue())).getpixel((1, 1)), (252, 0, 6))


@pytest.mark.parametrize("profile", [SRGB, b"no profile at all", P3[:200]])
def test_a_profile_that_says_nothing_changes_nothing(profile: bytes) -> None:
    bare = picture("JPEG", color=RED)
    assert clean_input(picture("JPEG", color=RED, icc_profile=profile)) == clean_input(bare)


@pytest.mark.parametrize("kind", ["AVIF", "BMP", "TIFF"])
def test_other_kinds_are_read(kind: str) -> None:
    info = inspect(clean_input(picture(kind)))
    assert (info.width, info.height, info.media_type) == (32, 24, "image/png")
    assert inspect(picture(kind), brought=True).media_type == f"image/{kind.lower()}"
    with pytest.raises(BadImage):
        inspect(picture(kind))


def test_the_avif_of_the_cases_is_read() -> None:
    assert opened(clean_input((CASES / "25-card.avif").read_bytes())).size == (120, 80)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HEIC, "HEIC"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(40), "MP4"),
        (b"\x1aE\xdf\xa3" + bytes(40), "WebM"),
        (b"%PDF-1.7\n" + bytes(40), "PDF"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"8BPS" + bytes(40), "Photoshop"),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(data: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_kinds, "HEIF_PACKAGE", "no_such_package")
    with pytest.raises(BadImage, match=words):
        clean_input(data)


def test_a_jpeg_without_its_end_marker_is_whole() -> None:
    data = (CASES / "26-jpeg-without-end-marker.jpg").read_bytes()
    made = clean_input(data)
    assert opened(made).tobytes() == opened(data + b"\xff\xd9").tobytes()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("tail", [b"", b"\xff"])
def test_any_jpeg_is_whole_without_its_end_marker(progressive: bool, tail: bytes) -> None:
    buffer = io.BytesIO()
    opened(noise((99, 61))).save(buffer, "JPEG", progressive=progressive)
    data = buffer.getvalue()
    assert data.endswith(b"\xff\xd9")
    assert opened(clean_input(data[:-2] + tail)).tobytes() == opened(data).tobytes()


@pytest.mark.parametrize("cut", [20, 200, 2000])
def test_a_jpeg_that_lost_pixels_is_still_refused(cut: int) -> None:
    with pytest.raises(BadImage, match="cut off"):
        clean_input(noise((99, 61), "JPEG")[:-cut])


def test_a_png_with_much_text_is_read() -> None:
    data = (CASES / "29-png-compressed-text-over-1mb.png").read_bytes()
    assert inspect(data).media_type == "image/png"
    assert inspect(clean_input(data)).media_type == "image/png"


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_text_that_unpacks_to_a_gigabyte_costs_nothing(kind: bytes) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(2**20)) for _ in range(64)), packer.flush()])
    body = b"parameters\0" + (b"\0" if kind == b"zTXt" else b"\1\0\0\0") + packed
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    data = picture()
    bomb = data[:33] + chunk + data[33:]
    assert inspect(clean_input(bomb)).width == 32
    assert len(images.read_parameters(bomb) or "") <= 2**20
