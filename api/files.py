"""The studio's own files, from memory: a page asks for some forty of them at once.

They are looked through again when a second has passed, so an edited file needs no restart.
"""

import gzip
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fastapi import HTTPException, Request, Response

from lazy import dataclass
from utils.threads import run_in_thread

STATIC: Final = Path(__file__).with_name("static")
FRESH_S: Final = 1.0
NO_DATA: Final[Mapping[str, str]] = {}
CACHE: Final = "no-cache"  # asked for again each time, answered with 304 while nothing changed
MIN_PACKED_BYTES: Final = 1000
TYPES: Final = {  # not asked of the machine: Windows may be told that .js is plain text
    ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".webp": "image/webp",
}  # fmt: skip
PACKABLE: Final = (".css", ".html", ".js", ".svg")


@dataclass(frozen=True, kw_only=True)
class _File:
    stamp: tuple[int, int]
    body: bytes
    packed: bytes | None
    etag: str
    media_type: str


class StudioFiles:
    """Hands out the files of one folder by their names in it; what was not found in the folder does not exist."""

    def __init__(
        self, folder: Path = STATIC, now: Callable[[], float] = time.monotonic, data: Mapping[str, str] = NO_DATA
    ) -> None:
        """Hand out a folder; `data` fills the empty `meta` elements of its pages, by their names."""
        self._folder = folder
        self._data = {
            f'name="{name}" content=""'.encode(): f"name=\"{name}\" content='{_in_quotes(text)}'".encode()
            for name, text in data.items()
        }
        self._now = now
        self._looked_at = float("-inf")
        self._files: Mapping[str, _File] = {}

    async def answer(self, request: Request) -> Response:
        """Answer a request whose path parameter `name` is the file's."""
        return await self.send(request.path_params["name"], request)

    async def send(self, name: str, request: Request) -> Response:
        """Return one file, packed where the browser takes that, or 304 where it has it already.

        Raises:
            HTTPException: 404, there is no such file.
        """
        if self._now() - self._looked_at >= FRESH_S:
            self._files = await run_in_thread(_look_through, self._folder, self._files, self._data)
            self._looked_at = self._now()
        if (file := self._files.get(name)) is None:
            raise HTTPException(404)
        headers = {"ETag": file.etag, "Cache-Control": CACHE, "Vary": "Accept-Encoding"}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
        return Response(file.body, media_type=file.media_type, headers=headers)


def _in_quotes(text: str) -> str:
    """Write a text for an attribute in single quotes: JSON is full of the others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;")


def _look_through(folder: Path, known: Mapping[str, _File], data: Mapping[bytes, bytes]) -> dict[str, _File]:
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        name, stat = path.relative_to(folder).as_posix(), path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        same = known.get(name)
        found[name] = same if same and same.stamp == stamp else _read(path, stamp, data)
    return found


def _read(path: Path, stamp: tuple[int, int], data: Mapping[bytes, bytes]) -> _File:
    body = path.read_bytes()
    for empty, filled in data.items() if path.suffix == ".html" else ():
        body = body.replace(empty, filled)
    may_pack = path.suffix in PACKABLE and len(body) >= MIN_PACKED_BYTES
    return _File(
        stamp=stamp,
        body=body,
        packed=gzip.compress(body, mtime=0) if may_pack else None,
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:20]}"',
        media_type=TYPES.get(path.suffix, "application/octet-stream"),
    )
