"""Reads request bodies: JSON, or multipart with `payload_json` and `files[n]`.

Source: "Uploading Files" in the reference of the official documentation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.discord_server import errors
from tests.discord_server.limits import MAX_FILE_BYTES, MAX_REQUEST_BYTES

FILE_PART = re.compile(r"^files\[(\d+)\]$")


@dataclass(kw_only=True)
class Body:
    """The bot's upload: the JSON, and files by their index; `notes` are faults Discord lets pass."""

    json: Any = None
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    multipart: bool = False
    notes: list[str] = field(default_factory=list)

    def summary(self) -> Any:
        """Return the JSON, with the files named by size, for the request log."""
        if not self.files:
            return self.json
        return {"payload_json": self.json, "files": {i: (n, len(d)) for i, (n, d) in self.files.items()}}


BODY = web.RequestKey("body", Body)


async def read_body(request: web.Request) -> Body:
    """Read the body whole; sizes are judged only afterwards, as a real server reads on too.

    Raises:
        ApiError: not JSON (50109), a file above 10 MiB or a request above 25 MiB (40005).
    """
    if request.content_type == "multipart/form-data":
        body = await _read_multipart(request)
        sizes = [len(data) for _, data in body.files.values()]
        if sum(sizes) > MAX_REQUEST_BYTES or any(size > MAX_FILE_BYTES for size in sizes):
            raise errors.too_large()
        return body
    raw = await request.read()
    if len(raw) > MAX_REQUEST_BYTES:
        raise errors.too_large()
    return Body(json=_parse(raw) if raw else None)


async def _read_multipart(request: web.Request) -> Body:
    body = Body(json={}, multipart=True)
    async for part in await request.multipart():
        data = bytes(await part.read(decode=False))
        match = FILE_PART.match(part.name or "")
        if match:
            body.files[int(match[1])] = (part.filename or "unknown", data)
        elif part.name == "payload_json":
            body.json = _parse(data)
    return body


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise errors.ApiError(400, 50109, "The request body contains invalid JSON.", violation=True) from None
