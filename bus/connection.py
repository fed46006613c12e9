"""One connection to NATS: the only place that knows its client, nats-py.

Source: docs.nats.io and nats-py 2.16. A connection that is lost comes back by itself, with its subscriptions; one that
the server refuses for good is closed, and `BusLink` makes another.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Any, Final

from constants import APP_NAME
from lazy import dataclass
from settings.bus import BusSettings

log = logging.getLogger(__name__)

RECONNECT_S: Final = 1
CONNECT_S: Final = 5
PING_S: Final = 20  # a server that has gone without a word is noticed within a minute
FLUSH_S: Final = 10
PENDING_BYTES: Final = 64 * 1024**2  # a message is at most that long on the largest servers
OBJECTS_S: Final = 24 * 3600.0
PART_BYTES: Final = 128 * 1024  # of an object, where the server takes messages of that length
BUCKET: Final = "easel_pictures"
QUEUE: Final = "easel"  # several that listen share the work


class BusDown(Exception):
    """Raised when what was sent has not surely arrived: it is sent again when the bus is back."""


@dataclass(frozen=True, kw_only=True)
class BusMessage:
    """A message as it came. `reply`: where the answer goes, empty if nobody waits for one."""

    data: bytes = field(repr=False)
    reply: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # names in small letters


Handle = Callable[[BusMessage], Awaitable[None]]


class NatsConnection:
    """A client that is connected, or comes back."""

    def __init__(self) -> None:
        self._client: Any = None
        self._bucket: Any = None
        self.closed = asyncio.Event()

    @property
    def is_up(self) -> bool:
        return bool(self._client.is_connected)

    @property
    def most_bytes(self) -> int:
        """Return how long a message may be, as the server says."""
        return int(self._client.max_payload)

    async def open(self, settings: BusSettings) -> None:
        """Connect, however long it takes."""
        import nats  # only here: an extra (requirements-bus.in)

        async def complain(error: Exception) -> None:
            log.warning("the message bus: %s", _words(error), extra={"action": "bus_down"})

        async def lost() -> None:
            log.warning("the message bus is away", extra={"action": "bus_down"})

        async def back() -> None:
            self._bucket = None
            log.info("the message bus is back", extra={"action": "bus_up"})

        async def closed() -> None:
            self.closed.set()

        self._client = await nats.connect(
            list(settings.servers),
            name=APP_NAME,
            error_cb=complain,
            disconnected_cb=lost,
            reconnected_cb=back,
            closed_cb=closed,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_S,
            connect_timeout=CONNECT_S,
            ping_interval=PING_S,
            pending_size=PENDING_BYTES,
            **await asyncio.to_thread(_credentials, settings),
        )
        log.info("the message bus is there", extra={"action": "bus_up"})

    async def subscribe(self, subject: str, handle: Handle) -> None:
        """Call `handle` for each message; it must be quick."""

        async def taken(message: Any) -> None:
            headers = {str(name).casefold(): str(value) for name, value in (message.headers or {}).items()}
            await handle(BusMessage(data=bytes(message.data), reply=message.reply, headers=headers))

        await self._client.subscribe(subject, queue=QUEUE, cb=taken)

    async def publish(self, subject: str, data: bytes, message_id: str = "") -> None:
        """Send; `message_id` lets receivers drop what comes twice.

        Raises:
            BusDown: there is no connection just now.
        """
        async with _translated():
            if not self.is_up:
                raise BusDown
            await self._client.publish(subject, data, headers={"Nats-Msg-Id": message_id} if message_id else None)

    async def flush(self) -> None:
        """Wait until the server has all that was sent.

        Raises:
            BusDown: it was lost in between.
        """
        async with _translated():
            await self._client.flush(FLUSH_S)

    async def put(self, name: str, data: bytes) -> str:
        """Store an object; return its bucket. The same name again changes nothing.

        Raises:
            BusDown: it was lost in between, or the server has no object store.
        """
        from nats.js.api import ObjectMeta, ObjectMetaOptions  # only here, as above

        async with _translated():
            if self._bucket is None:
                self._bucket = await self._open_bucket()
            part = ObjectMetaOptions(max_chunk_size=min(PART_BYTES, self.most_bytes))
            await self._bucket.put(name, data, ObjectMeta(name=name, options=part))
        return BUCKET

    async def _open_bucket(self) -> Any:
        from nats.js.api import ObjectStoreConfig  # only here: an extra (requirements-bus.in)
        from nats.js.errors import NotFoundError  # as above

        stream = self._client.jetstream(timeout=FLUSH_S)
        try:
            return await stream.object_store(BUCKET)
        except NotFoundError:
            return await stream.create_object_store(BUCKET, config=ObjectStoreConfig(ttl=OBJECTS_S))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    import nats.errors  # only here: an extra (requirements-bus.in)

    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise BusDown(_words(error)) from error


def _words(error: Exception) -> str:
    return f"{error}" or type(error).__name__


def _credentials(settings: BusSettings) -> dict[str, Any]:
    """Return how to sign in, and with what certificates. Reads files."""
    given: dict[str, Any] = {
        "user": settings.user or None,
        "password": settings.password.get_secret_value() or None,
        "token": settings.token.get_secret_value() or None,
        "nkeys_seed_str": settings.nkey.get_secret_value() or None,
    }
    if settings.ca or settings.cert:
        context = ssl.create_default_context(cafile=settings.ca or None)
        if settings.cert:
            context.load_cert_chain(settings.cert, settings.cert_key or None)
        given["tls"] = context
    return {name: value for name, value in given.items() if value is not None}
