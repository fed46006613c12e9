"""Colours as every screen and engine takes them: a picture with a profile of its own is converted to sRGB.

Source: the ICC profile that the file carries, through LittleCMS as Pillow has it. A profile that cannot be read, or
does not go with the pixels, is passed over, as viewers do.
"""

import io
from typing import Final

from PIL import Image, ImageCms

MAX_PROFILE_BYTES: Final = 4 * 1024 * 1024
NEARLY: Final = 2  # of 255: rounding between two spellings of sRGB
_STEPS: Final = (0, 64, 128, 192, 255)
_SPACES: Final = {"RGB": ("RGB", "RGBA"), "CMYK": ("CMYK",), "GRAY": ("L",)}


def is_srgb(image: Image.Image) -> bool:
    """Return whether the pixels of an opened file mean what they would without its profile."""
    return _conversion(image) is None


def in_srgb(image: Image.Image) -> Image.Image:
    """Return the picture with its profile used up; the same one where it has none, or one that says nothing."""
    found = _conversion(image)
    if found is None:
        return image
    picture, profile = found
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        made = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    assert made is not None, "it is only changed in place when that is asked for"
    made.info = {key: value for key, value in image.info.items() if key not in {"icc_profile", "transparency"}}
    return made.convert("L") if picture.mode == "L" else made


def _conversion(image: Image.Image) -> tuple[Image.Image, ImageCms.ImageCmsProfile] | None:
    data = image.info.get("icc_profile")
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_PROFILE_BYTES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        space = profile.profile.xcolor_space.strip()
        picture = _with_channels(image)
        if picture.mode not in _SPACES.get(space, ()) or (space == "RGB" and _changes_nothing(profile)):
            return None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return picture, profile


def _with_channels(image: Image.Image) -> Image.Image:
    """Return a palette or a transparent colour as channels."""
    if image.mode in {"LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _changes_nothing(profile: ImageCms.ImageCmsProfile) -> bool:
    """Return whether a profile is sRGB under whatever name, tried on colours from all over the cube."""
    colours = [(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS]
    sample = Image.new("RGB", (len(colours), 1))
    sample.putdata(colours)
    made = ImageCms.profileToProfile(sample, profile, ImageCms.createProfile("sRGB"))
    assert made is not None, "it is only changed in place when that is asked for"
    pairs = zip(sample.tobytes(), made.tobytes(), strict=True)
    return all(abs(before - after) <= NEARLY for before, after in pairs)
