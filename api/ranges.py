"""Parts of a file: players of videos ask for those, and some play nothing without.

Source: RFC 9110, 14. One range is answered; several at once, which no player asks for, get the whole file, as may be.
"""

import re
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from lazy import pattern

_ONE: Final = pattern(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.ASCII)


def in_parts(request: Request, data: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with a file, or the part of it that was asked for; `headers` have its ETag."""
    values = {**headers, "Accept-Ranges": "bytes"}
    is_same = request.headers.get("if-range", values["ETag"]) == values["ETag"]
    bounds = _bounds(request.headers.get("range", ""), len(data)) if is_same else None
    if bounds is None:
        return Response(data, media_type=media_type, headers=values)
    first, last = bounds
    if first > last:
        return Response(status_code=416, headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{len(data)}"})
    values["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(data[first : last + 1], status_code=206, media_type=media_type, headers=values)


def _bounds(asked: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte that are asked for, the last before the first where there are none such.

    None where nothing is asked for that can be read, which is answered as if nothing had been.
    """
    found = _ONE.fullmatch(asked.strip())
    start, stop = found.groups() if found else ("", "")
    if not start:  # the last so many
        return (max(0, size - int(stop)), size - 1) if stop else None
    if stop and int(stop) < int(start):
        return None
    return int(start), min(int(stop), size - 1) if stop else size - 1
