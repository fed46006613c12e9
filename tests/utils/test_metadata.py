"""An input picture loses its metadata and keeps its pixels, to the byte."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from utils.images import BadImage, clean_input, inspect
from utils.metadata import without_metadata

SECRET = b"made at home"


def file(kind: str, mode: str = "RGB", *, turn: int = 1, size: tuple[int, int] = (70, 45), **options: object) -> bytes:
    picture = Image.merge(mode, [Image.effect_noise(size, 80) for _ in mode]) if len(mode) > 1 else None
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = turn, SECRET.decode()
    out = io.BytesIO()
    (picture or Image.effect_noise(size, 80)).save(out, kind, exif=exif, icc_profile=b"\1" * 300, **options)
    return out.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture)
        return upright.mode, upright.size, upright.tobytes()


FORMS = [
    ("JPEG", "RGB", {"quality": 60}),
    ("JPEG", "RGB", {"progressive": True, "comment": SECRET}),
    ("JPEG", "L", {"restart_marker_blocks": 3}),
    ("WEBP", "RGB", {"quality": 50}),
    ("WEBP", "RGBA", {"quality": 50}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("PNG", "RGBA", {}),
]


@pytest.mark.parametrize(("kind", "mode", "options"), FORMS)
def test_metadata_goes_and_the_pixels_stay(kind: str, mode: str, options: dict[str, object]) -> None:
    data = file(kind, mode, **options)
    cleaned = clean_input(data + (b"hidden behind the end" if kind != "PNG" else b""))
    assert pixels(cleaned) == pixels(data)
    assert SECRET not in cleaned
    assert b"hidden" not in cleaned
    assert b"\1" * 300 not in cleaned
    assert inspect(cleaned, decode=True).media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turned_picture_can_keep_its_pixels_too(kind: str, turn: int) -> None:
    data = file(kind, turn=turn)
    assert pixels(clean_input(data, exact=True)) == pixels(data)
    assert pixels(clean_input(data))[:2] == pixels(data)[:2]
    assert SECRET not in clean_input(data, exact=True)


def test_the_further_pictures_of_a_phone_file_go() -> None:
    first, second = Image.effect_noise((64, 48), 80), Image.new("L", (8, 8))
    out = io.BytesIO()
    first.convert("RGB").save(out, "MPO", save_all=True, append_images=[second.convert("RGB")])
    with Image.open(io.BytesIO(out.getvalue())) as picture:
        assert picture.format == "MPO"
    cleaned = clean_input(out.getvalue())
    assert inspect(cleaned).media_type == "image/jpeg"
    assert pixels(cleaned) == pixels(out.getvalue())
    assert len(cleaned) < len(out.getvalue())


@given(st.sampled_from(FORMS[:6]), st.integers(0, 4000), st.integers(0, 255), st.integers(0, 4000))
def test_a_damaged_file_is_refused_or_becomes_a_whole_one(
    form: tuple[str, str, dict[str, object]], at: int, value: int, end: int
) -> None:
    data = bytearray(file(form[0], form[1], **form[2]))
    data[at % len(data)] = value
    for broken in (bytes(data), bytes(data[: end % len(data)])):
        without_metadata(broken)  # never anything but bytes or None
        try:
            cleaned = clean_input(broken)
        except BadImage:
            continue
        inspect(cleaned, decode=True)
