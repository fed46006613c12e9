"""A backup of all data, for admins."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fastapi import Request
from fastapi.responses import StreamingResponse

from api.caller import Admin
from api.context import web_of
from api.errors import errors
from api.routing import Router
from services.backups import name_at

router = Router(prefix="/api", tags=["keys"], responses=errors(401, 403))

MEDIA_TYPE: Final = "application/gzip"
CHUNK_BYTES: Final = 256 * 1024
CONTENT: Final = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
FILE: Final = {"content": CONTENT, "description": "The file."}  # no text: the API's description


@router.get("/backup", response_class=StreamingResponse, responses={200: FILE, **errors(400)})
async def backup(request: Request, caller: Admin) -> StreamingResponse:
    """Download all that Easel keeps as one file for `python main.py restore`, without the key of secrets."""
    web = web_of(request)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".easel-backup-", dir=web.own.backups.folder))
    name = name_at(web.services.clock.now())
    try:
        await web.own.backups.write(folder / name)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    size = (folder / name).stat().st_size
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(_content(folder, name), media_type=MEDIA_TYPE, headers=headers)


def _content(folder: Path, name: str) -> Iterator[bytes]:
    """Yield the file, then delete it; also when whoever asked went away."""
    try:
        with (folder / name).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    finally:
        shutil.rmtree(folder, ignore_errors=True)
