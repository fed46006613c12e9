"""Every text that a picture file carries, by the name of its place. Blocks: call it through `utils.threads`.

PNG: tEXt, zTXt and iTXt by their keywords. EXIF (JPEG, WebP, AVIF, TIFF, PNG's eXIf): the in whatever Unicode its
comment in whatever Unicode its writer chose, and the plain tags that ComfyUI and Windows use. XMP as it stands.
"""

import io
import zlib
from typing import Final

from PIL import Image

from utils.containers import MAX_TEXT_BYTES, PNG_SIGNATURE, is_webp, jpeg_segments, png_chunks, riff_chunks

COMMENT: Final = "UserComment"
XMP: Final = "XML:com.adobe.xmp"
PARAMETERS: Final = "parameters"
MAX_TEXTS: Final = 64
EXIF_IFD, USER_COMMENT = 0x8769, 0x9286
XMP_HEADER: Final = b"http://ns.adobe.com/xap/1.0/\0"
TEXT_CHUNKS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})

_CHARSETS: Final = (b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8))
_UTF_16_BE, _UTF_16_LE, _UTF_8 = b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf"
_TAGS: Final = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x9286: COMMENT,
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
}
_IN_EXIF: Final = {0x9286: COMMENT, 0x927C: "MakerNote"}


def texts_of(data: bytes) -> dict[str, str]:
    """Return all texts of a file; none where it is no picture. Of two with one name the first counts."""
    texts: dict[str, str] = {}
    if data.startswith(PNG_SIGNATURE):
        for kind, body in png_chunks(data):
            if len(texts) >= MAX_TEXTS:
                break
            if kind in TEXT_CHUNKS:
                name, text = read_chunk(kind, body)
                texts.setdefault(name, text)
            elif kind == b"eXIf":
                exif = Image.Exif()
                _add_exif(texts, _loaded(exif, body))
        return texts
    _add_exif(texts, read_exif(data))
    if xmp := _xmp_of(data):
        texts.setdefault(XMP, xmp)
    return texts


def read_parameters(data: bytes) -> str | None:
    """Return what stands where Automatic1111 keeps its parameters, or None."""
    texts = texts_of(data)
    return texts.get(PARAMETERS) or (None if data.startswith(PNG_SIGNATURE) else texts.get(COMMENT)) or None


def read_chunk(kind: bytes, body: bytes) -> tuple[str, str]:
    """Return the keyword and the text of a PNG's text chunk."""
    keyword, _, body = body.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        text = body.decode("latin-1")
        try:  # some writers put UTF-8 there, which the standard does not allow
            return name, text if text.isascii() else body.decode()
        except UnicodeDecodeError:
            return name, text
    if kind == b"zTXt":
        return name, _inflate(body[1:]).decode("latin-1")
    is_packed = body[:1] == b"\1"
    text_bytes = body[2:].split(b"\0", 2)[-1]  # after language and translated keyword
    return name, (_inflate(text_bytes) if is_packed else text_bytes).decode("utf-8", "replace")


def read_exif(data: bytes) -> Image.Exif:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP", "AVIF", "TIFF")) as image:
            return image.getexif()
    except Exception:  # a decoder may raise anything on a damaged file, and such a file carries no text
        return Image.Exif()


def decoded(value: bytes) -> str:
    """Return a comment as text, whatever of UTF-8 and UTF-16 in either byte order it was written in.

    The writers do not keep to the standard (or to the byte order that the file declares): what looks most like the text
    that a program writes is taken.
    """
    for charset in _CHARSETS:
        if value.startswith(charset):
            value = value[len(charset) :]
            break
    value = value[:MAX_TEXT_BYTES]
    for mark, name in ((_UTF_8, "utf-8"), (_UTF_16_BE, "utf-16-be"), (_UTF_16_LE, "utf-16-le")):
        if value.startswith(mark):
            return value[len(mark) :].decode(name, "replace").strip("\0 ")
    readings = [reading for name in ("utf-8", "utf-16-be", "utf-16-le") if (reading := _read_as(value, name))]
    return max(readings, key=_likeness, default=value.decode("latin-1")).strip("\0 ")


def _read_as(value: bytes, name: str) -> str | None:
    if name != "utf-8" and len(value) % 2:
        value = value[:-1]
    try:
        return value.decode(name)
    except UnicodeDecodeError:
        return None


def _likeness(text: str) -> float:
    """Return how much of a text is what programs write around the words of people: ASCII without control characters."""
    body = text.rstrip("\0")
    plain = sum(1 for sign in body if " " <= sign <= "~" or sign == "\n")
    return (plain - 2 * body.count("\0")) / (len(body) or 1)


def _add_exif(texts: dict[str, str], exif: Image.Exif) -> None:
    try:
        inner = exif.get_ifd(EXIF_IFD)
    except Exception:  # a damaged directory says nothing
        inner = {}
    for tags, names in ((inner, _IN_EXIF), (exif, _TAGS)):
        for tag, name in names.items():
            if text := _tag_text(tags.get(tag)):
                texts.setdefault(name, text)


def _tag_text(value: object) -> str:
    if isinstance(value, tuple) and all(isinstance(part, int) and 0 <= part < 256 for part in value):
        value = bytes(value)
    if isinstance(value, str):  # Pillow takes what is declared as ASCII for Latin-1
        try:
            value = value.encode("latin-1")
        except UnicodeEncodeError:
            return str(value).strip("\0 ")
    return decoded(value) if isinstance(value, bytes) else ""


def _loaded(exif: Image.Exif, body: bytes) -> Image.Exif:
    try:
        exif.load(body)
    except Exception:  # as above
        return Image.Exif()
    return exif


def _xmp_of(data: bytes) -> str:
    if is_webp(data):
        return next((body for kind, body in riff_chunks(data) if kind == b"XMP "), b"")[:MAX_TEXT_BYTES].decode(
            "utf-8", "replace"
        )
    for marker, body in jpeg_segments(data) if data.startswith(b"\xff\xd8") else ():
        if marker == 0xE1 and body.startswith(XMP_HEADER):
            return body[len(XMP_HEADER) :].decode("utf-8", "replace")
    return ""


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
