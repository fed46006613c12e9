"""The state of the connection to Discord: written by the Discord door, shown by the others."""

from dataclasses import dataclass
from enum import StrEnum


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

    def note(self, state: LinkState, message: str = "") -> None:
        self.state, self.message = state, message
