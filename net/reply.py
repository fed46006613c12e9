"""An answer, read whole and within a limit."""

from collections.abc import AsyncIterable
from dataclasses import field

import httpx

from lazy import dataclass
from texts.text import _


class AnswerTooLarge(ValueError):
    """The answer is larger than any honest one."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer of a server. `body`: unpacked."""

    status: int
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_page(self) -> bool:
        """Return whether it is a web page, by its type or by how it begins: a proxy's, or another program's."""
        kind = self.headers.get("content-type", "")
        return "html" in kind or self.body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


async def read_reply(response: httpx.Response, limit: int) -> Reply:
    """Read a streamed answer to its end, which is at most `limit` bytes away.

    Raises:
        AnswerTooLarge: there is more, by its own account or in fact.
    """
    return Reply(status=response.status_code, headers=response.headers, body=await _read_bounded(response, limit))


async def _read_bounded(response: httpx.Response, limit: int) -> bytes:
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise AnswerTooLarge(
            _("{announced} bytes announced, at most {limit} expected", announced=announced, limit=limit)
        )
    parts, size = [], 0
    # what is not packed needs none of the layers that unpack; they cost more than the reading
    stream = response.aiter_bytes() if _is_packed(response) else response.stream
    assert isinstance(stream, AsyncIterable)
    async for part in stream:
        size += len(part)
        if size > limit:
            raise AnswerTooLarge(_("more than {limit} bytes", limit=limit))
        parts.append(part)
    return b"".join(parts)


def _is_packed(response: httpx.Response) -> bool:
    return response.headers.get("content-encoding", "identity") != "identity" or response.is_stream_consumed
