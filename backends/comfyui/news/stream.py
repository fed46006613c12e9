"""The event stream of a job: how ComfyUI's API v2 tells how far it is.

Source: a recorded stream of comfy-api-proxy 0.1.6. Only progress and previews come from here; whether a job is done is
decided by `GET /api/v2/jobs/{id}`. Its own fraction is now the node's and now the whole job's, so it is not used.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import httpx

from backends.comfyui.news.events import FrameReader
from backends.comfyui.news.watch import Closed, NewsSource
from net.answers import read_json
from net.calls import Calls
from net.failures import parse_retry_after
from texts.text import _

OPEN_TIMEOUT_S: Final = 5.0
SILENCE_S: Final = 45.0  # the server says something every 15 s
MAX_LINE_CHARS: Final = 4 * 1024 * 1024


class EventStream(NewsSource):
    """The news of one job from a server."""

    def __init__(self, calls: Calls, job_id: str) -> None:
        self._calls = calls
        self._path = f"/api/v2/jobs/{quote(job_id, safe='')}/events"

    async def listen(self, reader: FrameReader, on_open: Callable[[], None], on_news: Callable[[], None]) -> None:
        timeout = httpx.Timeout(OPEN_TIMEOUT_S, read=SILENCE_S)
        headers = {"Accept": "text/event-stream"}
        async with self._calls.open("GET", self._path, headers=headers, timeout=timeout) as response:
            if response.status_code != httpx.codes.OK or not _is_stream(response):
                wait_s = parse_retry_after(response.headers.get("retry-after"))
                raise Closed(f"HTTP {response.status_code}", wait_s)
            on_open()
            event, rest = "", ""
            async for part in response.aiter_text():
                *lines, rest = f"{rest}{part}".split("\n")
                if len(rest) > MAX_LINE_CHARS:
                    raise Closed(_("a line without an end"))
                for line in lines:
                    name, __, value = line.rstrip("\r").partition(":")
                    if name == "event":
                        event = value.strip()
                    elif name == "data" and _take(reader, event, value):
                        on_news()
                if reader.is_over:
                    return
        raise Closed(_("end of stream"))


def _is_stream(response: httpx.Response) -> bool:
    return bool(response.headers.get("content-type", "").startswith("text/event-stream"))


def _take(reader: FrameReader, event: str, text: str) -> bool:
    try:
        data = read_json(text)
    except ValueError:
        return False
    return isinstance(data, dict) and reader.read_event(event, data)
