"""Pictures packed into ZIP files that each stay below a limit: what a chat can hold. Files go in as they were made."""

import io
import zipfile
from collections.abc import Iterable
from typing import Final

from lazy import dataclass
from services.library.gallery import Picture
from services.pictures.media import MediaService, file_name
from utils.images import EXTENSIONS
from utils.threads import run_in_thread

HEAD_BYTES: Final = 400  # of an entry and its line in the list at the end, with a long name


@dataclass(frozen=True, kw_only=True)
class Export:
    """ZIP files, and how many pictures are in them and are not."""

    files: tuple[bytes, ...]
    packed: int
    expired: int
    too_large: int  # more than one file may have
    left: int  # did not fit into so many files


async def export(media: MediaService, pictures: Iterable[Picture], limit_bytes: int, most_files: int) -> Export:
    """Pack pictures, one after the other, into at most `most_files` ZIP files of at most `limit_bytes` each."""
    volumes: list[list[tuple[str, bytes]]] = [[]]
    size = expired = too_large = left = packed = 0
    names: set[str] = set()
    for picture in pictures:
        if left:
            left += 1
            continue
        kept = await media.get(picture.media_id)
        if kept is None:
            expired += 1
            continue
        length = len(kept.data) + HEAD_BYTES
        if length > limit_bytes:
            too_large += 1
            continue
        if size + length > limit_bytes:
            if len(volumes) == most_files:
                left += 1
                continue
            volumes.append([])
            size = 0
        size += length
        packed += 1
        volumes[-1].append((_free(_name(picture), names), kept.data))
    files = [await run_in_thread(_zip, volume) for volume in volumes if volume]
    return Export(files=tuple(files), packed=packed, expired=expired, too_large=too_large, left=left)


def _zip(volume: list[tuple[str, bytes]]) -> bytes:
    """Pack without pressing: pictures are packed already. Blocks."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in volume:
            archive.writestr(name, data)
    return file.getvalue()


def _name(picture: Picture) -> str:
    extension = EXTENSIONS.get(picture.media_type, "png")
    return file_name(picture.prompt, picture.seed, picture.created_at, extension)


def _free(name: str, taken: set[str]) -> str:
    stem, __, extension = name.rpartition(".")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}.{extension}"
    taken.add(free)
    return free
