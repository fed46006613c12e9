"""Servers in which the bot is no member, and people who have brought it along.

Source: "Installation Context" and "Interaction Contexts" of the official documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.discord_server.model import MEMBER_PERMISSIONS, Account, Channel, Guild, Role

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

MOST_AFTER_FIRST = 5


def add_foreign_channel(server: DiscordServer, *people: Account, name: str = "elsewhere") -> Channel:
    """Add a channel of a server of these people, in which the bot is not."""
    guild = Guild(id=server.ids.next(), name=name, owner=people[0])
    guild.roles[guild.id] = Role(guild.id, "@everyone", MEMBER_PERMISSIONS)
    guild.members = {account.id: (account, []) for account in people}
    channel = Channel(id=server.ids.next(), name=name, guild=guild)
    channel.overwrites[server.bot.id] = (0, MEMBER_PERMISSIONS)
    guild.channels.append(channel)
    server.channels[channel.id] = channel
    return channel


def is_foreign(server: DiscordServer, guild: Guild | None) -> bool:
    return guild is not None and guild not in server.guilds


def owners(server: DiscordServer, account: Account, channel: Channel) -> dict[str, str]:
    """Return who has let the bot in, as an interaction says it."""
    if is_foreign(server, channel.guild):
        return {"1": str(account.id)}
    return {"0": str(channel.guild.id) if channel.guild else "0"}


def is_offered(server: DiscordServer, guild: Guild | None, command: dict[str, Any]) -> bool:
    """Return whether a command goes along with whoever has added the app to their account."""
    return not is_foreign(server, guild) or (
        1 in command["integration_types"] and 0 in (command["contexts"] if command["contexts"] is not None else [0])
    )
