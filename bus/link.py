"""The link to the bus: made again as often as needed, and what waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bus.connection import NatsConnection
from settings.bus import BusSettings
from utils.clock import Clock

PAUSE_S: Final = 1.0
Opened = Callable[[NatsConnection], Awaitable[None]]


class BusLink:
    """Keep `run` as one loop; `opened` is awaited with each new connection."""

    def __init__(
        self,
        settings: BusSettings,
        clock: Clock,
        opened: Opened,
        make: Callable[[], NatsConnection] = NatsConnection,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._opened = opened
        self._make = make
        self._is_there = asyncio.Event()
        self._connection: NatsConnection | None = None

    @property
    def is_up(self) -> bool:
        return self._connection is not None and self._connection.is_up

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            connection = self._make()
            try:
                await connection.open(self._settings)
                await self._opened(connection)
                self._connection = connection
                self._is_there.set()
                await connection.closed.wait()
            finally:
                self._is_there.clear()
                self._connection = None
                await connection.close()
            await self._clock.sleep(PAUSE_S)

    async def ready(self) -> NatsConnection:
        """Return the connection, as soon as there is one that is up."""
        while True:
            await self._is_there.wait()
            if self._connection is not None and self._connection.is_up:
                return self._connection
            await self._clock.sleep(PAUSE_S / 4)
