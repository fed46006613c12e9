"""The websocket of a server: how the classic API tells how far a job is.

It goes through the engine's own client, so that address checks, keys, TLS and path prefix are the same as for
everything else; wsproto does the frames.
"""

import base64
import secrets
from collections.abc import Callable
from typing import Any, Final

import httpcore
import httpx
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import ProtocolError, generate_accept_token

from backends.comfyui.news.events import HELLO, FrameReader
from backends.comfyui.news.watch import Closed, NewsSource
from net.calls import Calls
from texts.text import _

OPEN_TIMEOUT_S: Final = 5.0
PING_S: Final = 20.0  # the server sends none, and proxies close what is silent for a minute
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
READ_BYTES: Final = 64 * 1024


class WebSocket(NewsSource):
    """The frames that a server sends to one client."""

    def __init__(self, calls: Calls, client_id: str) -> None:
        self._calls = calls
        self._client_id = client_id

    async def listen(self, reader: FrameReader, on_open: Callable[[], None], on_news: Callable[[], None]) -> None:
        key = base64.b64encode(secrets.token_bytes(16))
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
        }
        path, timeout = "/ws", httpx.Timeout(OPEN_TIMEOUT_S)
        async with self._calls.open(
            "GET", path, params={"clientId": self._client_id}, headers=headers, timeout=timeout
        ) as response:
            accepted = response.headers.get("sec-websocket-accept", "").encode()
            stream = response.extensions.get("network_stream")
            if response.status_code != httpx.codes.SWITCHING_PROTOCOLS or accepted != generate_accept_token(key):
                raise Closed(f"HTTP {response.status_code}")
            if stream is None:
                raise Closed(_("no stream"))
            connection = Connection(ConnectionType.CLIENT)
            try:
                await stream.write(connection.send(TextMessage(data=HELLO)), timeout=OPEN_TIMEOUT_S)
                on_open()
                await self._read(connection, stream, reader, on_news)
            except (ProtocolError, httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
                raise Closed(f"{type(error).__name__}: {error}") from error

    async def _read(
        self,
        connection: Connection,
        stream: httpcore.AsyncNetworkStream,
        reader: FrameReader,
        on_news: Callable[[], None],
    ) -> None:
        is_pinged = False
        message = bytearray()
        size = 0
        while not reader.is_over:
            try:
                data = await stream.read(READ_BYTES, timeout=PING_S)
            except httpcore.ReadTimeout:
                if is_pinged:
                    raise
                is_pinged = True
                await stream.write(connection.send(Ping()), timeout=OPEN_TIMEOUT_S)
                continue
            if not data:
                raise Closed(_("end of stream"))
            is_pinged = False
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Ping):
                    await stream.write(connection.send(event.response()), timeout=OPEN_TIMEOUT_S)
                elif isinstance(event, CloseConnection):
                    raise Closed(_("code {code}", code=event.code))
                elif isinstance(event, Message):
                    part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                    size += len(part)
                    if size <= MAX_MESSAGE_BYTES:  # the rest of a larger one is read and dropped
                        message += part
                    if event.message_finished:
                        if _take(reader, event, bytes(message) if size <= MAX_MESSAGE_BYTES else b""):
                            on_news()
                        message.clear()
                        size = 0


def _take(reader: FrameReader, event: Message[Any], data: bytes) -> bool:
    if isinstance(event, BytesMessage):
        return reader.read_binary(data)
    return reader.read_text(data.decode("utf-8", "replace"))
