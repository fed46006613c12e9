"""Services that the message bus has besides the services of every door."""

from collections.abc import Callable
from dataclasses import field
from typing import Final

from lazy import dataclass
from services.people.access import AccessService
from services.reports.bus_outbox import BusOutbox
from services.reports.bus_state import BusState

LINK_S: Final = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class BusServices:
    """Keys, what is still to be told, and the address of the studio, where it is open."""

    access: AccessService
    outbox: BusOutbox
    address: Callable[[], str]  # without a slash at the end; empty: the studio is not served
    state: BusState = field(default_factory=BusState)  # told to other doors

    def link(self, media_id: str) -> str | None:
        """Return an address that shows a picture to whoever has it, for a day; None without a studio."""
        address = self.address()
        return f"{address}/api/media/{media_id}?t={self.access.sign(f'media:{media_id}', LINK_S)}" if address else None
