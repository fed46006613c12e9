"""Many pictures as one ZIP file, written while it is sent: one picture in memory at a time."""

import zipfile
from collections.abc import AsyncIterator, Iterable
from typing import IO, Final, cast

from api.pictures import picture_name
from generation.errors import RequestRejected
from services.library.gallery import Picture
from services.pictures.media import MediaService
from texts.text import _
from utils.images import EXTENSIONS
from utils.threads import run_in_thread

MISSING_NAME: Final = "missing.txt"


class _Sink:
    """A file for zipfile to write to: it cannot seek, so what was written can be sent at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


async def zipped(media: MediaService, pictures: Iterable[Picture], kind: str) -> AsyncIterator[bytes]:
    """Yield a ZIP file of `pictures` as PNG, JPEG or WEBP with their parameters, videos as they are.

    What is gone is listed in it.
    """
    sink, names, missing = _Sink(), set[str](), list[str]()
    archive = zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED)  # pictures are packed already
    for picture in pictures:
        is_video = picture.media_type.startswith("video/")
        extension = EXTENSIONS[picture.media_type if is_video else f"image/{kind.casefold()}"]
        name = _free(picture_name(picture, extension), names)
        data = await _copy(media, picture, kind)
        if data is None:
            missing.append(_("{name}: its file has expired", name=name))
            continue
        when = picture.created_at.timetuple()[:6]
        await run_in_thread(archive.writestr, zipfile.ZipInfo(name, when), data)
        yield sink.take()
    if missing:
        await run_in_thread(archive.writestr, MISSING_NAME, "\n".join(missing) + "\n")
    await run_in_thread(archive.close)
    yield sink.take()


async def _copy(media: MediaService, picture: Picture, kind: str) -> bytes | None:
    found = await media.get(picture.media_id)
    if found is None:
        return None
    try:
        return (await media.converted(found, kind)).data
    except RequestRejected:  # a damaged file must not keep the others from their owner
        return None


def _free(name: str, taken: set[str]) -> str:
    stem, __, extension = name.rpartition(".")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}.{extension}"
    taken.add(free)
    return free
