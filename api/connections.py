"""Open connections: how many there may be, and how long one may keep a place without a request.

uvicorn gives a connection that says nothing, or one byte a minute, all the time it wants. Here the head of a request
has to come within seconds, and who waits without one makes room for who asks. The body of a request has its own time
limit in `api/middleware.py`; a request that is being answered, an event stream for example, may take as long as it
likes, so long as what it is sent gets read.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from api.wire import StrictProtocol
from lazy import dataclass
from settings.web import LOOPBACK_NETWORKS

READ_BYTES: Final = 16 * 1024  # at once: a quarter of a megabyte in chunks of one byte would take half a second
TOO_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """`total` and `per_address` are connections, `shared` the networks of addresses that many people come from.

    `head_s`: from a connection, or the first byte of a further request, to the whole head. `write_s`: how long a client
    may leave unread what it asked for.
    """

    total: int = 1000
    per_address: int = 200
    shared: Sequence[str] = LOOPBACK_NETWORKS
    head_s: float = 10.0
    write_s: float = 60.0


class OpenConnections:
    """All connections of a server; when there are too many, the one longest without a request goes."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._shared = [ip_network(network) for network in limits.shared]
        self._open: dict[WatchedConnection, str] = {}
        self._idle: OrderedDict[WatchedConnection, None] = OrderedDict()
        self._of_address: Counter[str] = Counter()

    def __iter__(self) -> Iterator["WatchedConnection"]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: "WatchedConnection", address: str) -> bool:
        """Give a new connection a place, for which another may have to go; return whether there is one."""
        is_over = self._of_address[address] >= self.limits.per_address and not self._is_shared(address)
        if is_over and not self._evict(address):
            return False
        if len(self._open) >= self.limits.total and not self._evict():
            return False
        self._open[connection] = address
        self._of_address[address] += 1
        self._idle[connection] = None
        return True

    def remove(self, connection: "WatchedConnection") -> None:
        address = self._open.pop(connection, None)
        self._idle.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def mark(self, connection: "WatchedConnection", *, is_idle: bool) -> None:
        """Note whether it has a request; one that already had none keeps its place in the row."""
        if connection not in self._open:
            return
        if not is_idle:
            self._idle.pop(connection, None)
        else:
            self._idle.setdefault(connection, None)

    def _evict(self, address: str = "") -> bool:
        """Close the connection that is longest without a request, of this address if one is given."""
        victim = next((item for item in self._idle if not address or self._open[item] == address), None)
        if victim is None:
            return False
        self.remove(victim)
        victim.drop()
        return True

    def _is_shared(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(_holds(network, parsed) for network in self._shared)


class WatchedConnection(StrictProtocol):
    """One connection of uvicorn's, watched. `connections` is set by `protocol_of`."""

    connections_of_server: OpenConnections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        if hasattr(transport, "max_size"):  # asyncio's own name for how much it reads at once
            transport.max_size = READ_BYTES
        super().connection_made(transport)
        self._limits = self.connections_of_server.limits
        if self.connections_of_server.admit(self, self.client[0] if self.client else ""):
            self._await_head()
        else:
            self.end(FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections_of_server.remove(self)
        self._stop_head_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._note()
        if self.is_idle and not self.transport.is_closing():
            self._await_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note()
        if self.is_idle and self.is_in_head and not self.transport.is_closing():
            self._await_head()  # a part of the next head came together with this request

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self._limits.write_s, self.drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def drop(self) -> None:
        """Close it at once, whatever is left to be sent."""
        self.transport.abort()

    def _note(self) -> None:
        if not self.is_idle:
            self._stop_head_timer()
        self.connections_of_server.mark(self, is_idle=self.is_idle)

    def _await_head(self) -> None:
        """Start the clock, which no further byte sets back."""
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_s, self.end, TOO_LATE)

    def _stop_head_timer(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None


def protocol_of(connections: OpenConnections) -> type[WatchedConnection]:
    """Return the class that uvicorn makes an object of for each connection."""
    return type("ServedConnection", (WatchedConnection,), {"connections_of_server": connections})


def _holds(network: IPv4Network | IPv6Network, address: Any) -> bool:
    return address in network
