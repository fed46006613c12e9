"""A local Discord for end-to-end tests: gateway v10 and REST v10 on one loopback port.

The bot under test speaks to it through the real library once `nextcord.http.Route.BASE` is `server.api_url`:

    async with DiscordServer() as server:
        ...  # start the bot with server.api_url and server.token
        await server.wait_commands({"generate"})
        result = await server.user("mia").slash(server.channel, "generate", prompt="a fox")
        await server.wait_for(lambda: result.message.files)
        assert server.violations == []
"""

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
