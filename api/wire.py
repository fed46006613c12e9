"""Requests are read from a connection as HTTP/1.1: by httptools, within bounds, and only where one reading is possible.

httptools is a third of h11's price, but bounds nothing, and uvicorn's class for it believes the client in more than one
place. A proxy in front and Easel behind it must see the same requests in the same bytes (RFC 9112, 11.2), so what
leaves a doubt is refused: a coding of the body besides `chunked`, two hosts, a whole address as target.
"""

import asyncio
import json
from collections import deque
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.errors import plain
from texts.text import _

MAX_HEAD_BYTES: Final = 64 * 1024
MOST_QUEUED: Final = 32  # requests that were sent before the answer to the one before them
VERSIONS: Final = frozenset({"1.0", "1.1"})
INVALID: Final = _("This is not a request as HTTP has it.")
LONG_HEAD: Final = _("The head of the request is too long.")
MANY: Final = _("Too many requests were sent at once over one connection.")


class StrictProtocol(HttpToolsProtocol):
    """One connection: its requests are answered one after the other, and what is none ends it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.is_in_head = False
        self._unread_bytes = 0  # that came since a head, a part of a body or a request was whole
        self._running: RequestResponseCycle | None = None
        self._last_words = b""
        self.flow = _OneByOne(transport, self.pipeline)

    def connection_lost(self, exc: Exception | None) -> None:
        self.pipeline.clear()
        if self._running and not self._running.response_complete:  # uvicorn tells the newest alone
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._last_words or self.transport.is_closing():
            return
        self._unread_bytes += len(data)
        try:
            self._read(data)
            if self._unread_bytes > MAX_HEAD_BYTES:
                raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, LONG_HEAD)
        except (httptools.HttpParserError, _Refused) as error:
            refused = error if isinstance(error, _Refused) else error.__context__  # where httptools leaves our own
            self._part((refused if isinstance(refused, _Refused) else _Refused()).answer)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.is_in_head = True

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # it is read once more
        if len(self.pipeline) >= MOST_QUEUED:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, MANY)
        self._check_head()
        super().on_headers_complete()
        self.headers = []  # where the parser puts what follows a body: nobody checks it, so nobody sees it
        self.is_in_head = False
        self._unread_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._unread_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._last_words and self.is_idle:
            self.end(self._last_words)

    @property
    def is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def end(self, answer: bytes) -> None:
        """Send this after what was sent, and close."""
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _read(self, data: bytes) -> None:
        """Feed the parser. Another protocol is not offered, so a request that asks for one is read without that.

        The parser takes what follows such a head, its body for example, for the other protocol's.
        """
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]

    def _without_upgrade(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if method == b"CONNECT":  # it is one whatever its headers say
            raise _Refused
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it: it is dropped
        kept = [b"%s: %s" % item for item in self.headers if item[0] != b"upgrade"]
        return b"\r\n".join([b"%s %s HTTP/%s" % (method, self.url, version.encode()), *kept, b"", b""])

    def _check_head(self) -> None:
        """Let pass what everybody who reads it reads alike.

        Raises:
            _Refused: it is not so, or too long.
        """
        version, hosts, codings = self.parser.get_http_version(), 0, []
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding":
                codings.append(value.strip().lower())
        is_hosted = hosts == 1 or (not hosts and version == "1.0")
        is_framed = not codings or (codings == [b"chunked"] and version == "1.1")
        if version not in VERSIONS or not is_hosted or not is_framed or not self.url.startswith(b"/"):
            raise _Refused
        if self._unread_bytes <= MAX_HEAD_BYTES:
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES:  # not for what came before it in the same packet
            raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, LONG_HEAD)

    def _part(self, answer: bytes) -> None:
        """Read nothing more, answer what was asked for whole, then this, and close."""
        if self.is_idle:
            self.end(answer)
        elif not self.cycle.more_body:
            self._last_words = answer
        elif self.cycle is self._running and not self.cycle.response_started:
            self.end(answer)
        else:
            self.transport.close()  # it is the end of a body that failed, and its answer or one before it has begun


class _OneByOne(FlowControl):
    """Reads nothing more while requests wait for the answer to the one before them."""

    def __init__(self, transport: asyncio.Transport, queued: deque[Any]) -> None:
        super().__init__(transport)
        self._queued = queued

    def resume_reading(self) -> None:
        if not self._queued:
            super().resume_reading()


class _Refused(Exception):
    """A request is not answered; its refusal is sent instead."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST, words: str = INVALID) -> None:
        super().__init__(words)
        body = json.dumps(plain(status, words)).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        self.answer = b"%sContent-Length: %d\r\n\r\n%s" % (head.encode(), len(body), body)
