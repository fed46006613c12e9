"""One job's websocket, held open in the background for as long as the job runs.

It goes through the engine's own httpx client, so that address checks, keys, TLS and path prefix are the same as for
everything else; wsproto does the frames. A socket that cannot be opened or breaks costs the progress bar, not the job.
"""

import asyncio
import base64
import logging
import secrets
from typing import Any, Final

import httpcore
import httpx
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import ProtocolError, generate_accept_token

from backends.comfyui.events import HELLO, Reader
from generation.errors import GenerationError
from generation.job import Progress

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 5.0
PING_S: Final = 20.0  # the server sends none, and proxies close what is silent for a minute
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
READ_BYTES: Final = 64 * 1024
MAX_FAILURES: Final = 5
BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 30.0


class _Closed(Exception):
    """The other side hung up, or is not there any more."""


class Watch:
    """What we know of one running job, kept up to date by its websocket."""

    def __init__(self, client: httpx.AsyncClient, prompt_id: str, client_id: str, backoff_s: float = BACKOFF_S) -> None:
        self.reader = Reader(prompt_id)
        self.is_connected = False
        self.opened = asyncio.Event()  # set once the socket is open, or will not open at the first try
        self.asked_at = float("-inf")  # when the server was last asked over HTTP, and when it last answered
        self.answered_at: float | None = None
        self.place = ""  # where it stands in the server's own queue, in words, until it runs
        self.missing = 0  # how often in a row it was neither waiting, running nor finished
        self._news = asyncio.Event()
        self._client = client
        self._client_id = client_id
        self._backoff_s = backoff_s
        self._task = asyncio.create_task(self._run())

    @property
    def progress(self) -> Progress:
        return Progress(note=self.place) if self.place and not self.reader.has_started else self.reader.progress

    async def wait_for_news(self, limit_s: float) -> None:
        """Wait until the socket says something new, at most `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def wait_for_end(self, limit_s: float) -> None:
        """Wait until the job is over or the socket gone, at most `limit_s`; other news are in the next report."""
        try:
            async with asyncio.timeout(limit_s):
                while self.is_connected and not self.reader.is_over:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        failures = 0
        while not self.reader.is_over and failures < MAX_FAILURES:
            try:
                await self._listen()
            except (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, ProtocolError, OSError) as error:
                log.debug("websocket broke", extra={"action": "socket_lost", "error": type(error).__name__})
            except (_Closed, GenerationError) as error:
                log.debug("websocket ended", extra={"action": "socket_lost", "error": type(error).__name__})
            finally:
                was_connected, self.is_connected = self.is_connected, False
                self._tell()
                self.opened.set()
            failures = 1 if was_connected else failures + 1
            if not self.reader.is_over:
                await asyncio.sleep(min(MAX_BACKOFF_S, self._backoff_s * 2 ** (failures - 1)))

    async def _listen(self) -> None:
        key = base64.b64encode(secrets.token_bytes(16))
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
        }
        path, timeout = "/ws", httpx.Timeout(OPEN_TIMEOUT_S)
        async with self._client.stream(
            "GET", path, params={"clientId": self._client_id}, headers=headers, timeout=timeout
        ) as response:
            accepted = response.headers.get("sec-websocket-accept", "").encode()
            stream = response.extensions.get("network_stream")
            if response.status_code != httpx.codes.SWITCHING_PROTOCOLS or accepted != generate_accept_token(key):
                raise _Closed(f"HTTP {response.status_code}")
            if stream is None:
                raise _Closed("no stream")
            connection = Connection(ConnectionType.CLIENT)
            await stream.write(connection.send(TextMessage(data=HELLO)), timeout=OPEN_TIMEOUT_S)
            self.is_connected = True
            self.opened.set()
            await self._read(connection, stream)

    async def _read(self, connection: Connection, stream: httpcore.AsyncNetworkStream) -> None:
        is_pinged = False
        message = bytearray()
        size = 0
        while not self.reader.is_over:
            try:
                data = await stream.read(READ_BYTES, timeout=PING_S)
            except httpcore.ReadTimeout:
                if is_pinged:
                    raise
                is_pinged = True
                await stream.write(connection.send(Ping()), timeout=OPEN_TIMEOUT_S)
                continue
            if not data:
                raise _Closed("end of stream")
            is_pinged = False
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Ping):
                    await stream.write(connection.send(event.response()), timeout=OPEN_TIMEOUT_S)
                elif isinstance(event, CloseConnection):
                    raise _Closed(f"code {event.code}")
                elif isinstance(event, Message):
                    part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                    size += len(part)
                    if size <= MAX_MESSAGE_BYTES:  # the rest of a larger one is read and dropped
                        message += part
                    if event.message_finished:
                        self._take(event, bytes(message) if size <= MAX_MESSAGE_BYTES else b"")
                        message.clear()
                        size = 0

    def _take(self, event: Message[Any], data: bytes) -> None:
        if isinstance(event, BytesMessage):
            is_news = self.reader.read_binary(data)
        else:
            is_news = self.reader.read_text(data.decode("utf-8", "replace"))
        if is_news:
            self._tell()

    def _tell(self) -> None:
        self._news.set()
