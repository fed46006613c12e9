"""The kind of a file by its first bytes, for those that are read and those that are refused by name.

Source: ISO/IEC 14496-12 (`ftyp` brands of MP4, HEIC, AVIF) and the signatures of the formats' own specifications.
"""

import importlib
import importlib.util
from typing import Final

from texts.text import _

_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF: Final = frozenset({b"avif", b"avis"})
_SIGNATURES: Final = (
    (b"%PDF", "a PDF"),
    (b"8BPS", _("a Photoshop file")),
    (b"gimp xcf", _("a GIMP file")),
    (b"\xff\x0a", _("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL ", _("a JPEG XL picture")),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\x1aE\xdf\xa3", _("a video (WebM or Matroska)")),
    (b"PK\x03\x04", _("an archive or a document (ZIP)")),
    (b"\0\0\1\0", _("an icon (ICO)")),
    (b"OggS", _("a sound or a video (Ogg)")),
    (b"ID3", _("a sound (MP3)")),
    (b"<svg", _("a drawing (SVG)")),
)
NO_HEIC: Final = _(
    "This is a HEIC picture, which Easel reads only where the package pillow-heif is installed beside it. "
    "Send it as JPEG or PNG."
)
HEIF_PACKAGE: Final = "pillow_heif"


def refusal_of(data: bytes) -> str:
    """Return a sentence for a file that is no picture we read, with its kind where that can be told."""
    if is_heic(data) and not has_heic():
        return NO_HEIC
    kind = _kind_of(data)
    named = _("This file is not a picture that Easel can read")
    return _("{named}: it is {kind}.", named=named, kind=kind) if kind else f"{named}."


def is_heic(data: bytes) -> bool:
    brands = _brands(data)
    return bool(brands & _HEIC) and not brands & _AVIF


def has_heic() -> bool:
    return importlib.util.find_spec(HEIF_PACKAGE) is not None


def open_heic() -> None:
    """Let Pillow read HEIC from now on, where that can be."""
    if has_heic():
        importlib.import_module(HEIF_PACKAGE).register_heif_opener()


def _brands(data: bytes) -> frozenset[bytes]:
    if data[4:8] != b"ftyp":
        return frozenset()
    size = min(int.from_bytes(data[:4], "big"), 256)
    return frozenset({data[8:12], *(data[at : at + 4] for at in range(16, size, 4))})


def _kind_of(data: bytes) -> str | None:
    if brands := _brands(data):
        return _("a HEIC picture") if brands & _HEIC else _brand_name(brands)
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return _("a video (AVI)")
    head = data[:256].lstrip().removeprefix(b"\xef\xbb\xbf")
    if head.startswith(b"<?xml") and b"<svg" in data[:4096]:
        return _("a drawing (SVG)")
    return next((kind for start, kind in _SIGNATURES if data.startswith(start) or head.startswith(start)), None)


def _brand_name(brands: frozenset[bytes]) -> str:
    if brands & _AVIF:
        return _("an AVIF picture that cannot be decoded")
    return _("a video (QuickTime)") if b"qt  " in brands else _("a video (MP4)")
