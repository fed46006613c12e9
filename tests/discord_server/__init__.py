"""A local Discord for end-to-end tests: gateway v10 and REST v10 on one loopback port."""

from tests.discord_server.errors import Violation
from tests.discord_server.faults import Fault
from tests.discord_server.interaction import Interaction, Modal
from tests.discord_server.model import Attachment, Channel, Guild, Message
from tests.discord_server.server import DiscordServer
from tests.discord_server.user import NotPossible, User

__all__ = [
    "Attachment",
    "Channel",
    "DiscordServer",
    "Fault",
    "Guild",
    "Interaction",
    "Message",
    "Modal",
    "NotPossible",
    "User",
    "Violation",
]
