"""The state of the connection to Discord: written by the Discord door, shown by the others."""

import asyncio
from dataclasses import field
from enum import StrEnum

from lazy import dataclass


class LinkState(StrEnum):
    """The state of the connection; REFUSED is the end until the next start."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass
class DiscordLink:
    """The one value of a process; `message` says why there is no connection, in words for everybody."""

    state: LinkState = LinkState.OFF
    message: str = ""
    is_dialled: asyncio.Event = field(default_factory=asyncio.Event)  # once it is known what comes of it

    def note(self, state: LinkState, message: str = "") -> None:
        self.state, self.message = state, message
        if state is not LinkState.CONNECTING:
            self.is_dialled.set()
