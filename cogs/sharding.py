"""The bot as one connection, or as several: beyond some 2,500 servers Discord takes no single one.

Each shard is a connection that hears of its share of the servers; direct messages come to the first one alone. Source:
"Sharding" of the official documentation. What several processes share: `docs/decisions/043-discord-at-scale.md`.
"""

import logging
from typing import Any, Final

from nextcord.ext import commands

from cogs.bot import EaselBot
from settings.discord import DiscordSettings
from texts.text import _

log = logging.getLogger(__name__)

SINGLE: Final = 1


class ShardsWanted(Exception):
    """Discord asks for more than one connection."""

    def __init__(self, count: int) -> None:
        super().__init__(_("Discord asks for {count} shards.", count=count))
        self.count = count


class SingleBot(EaselBot):
    """One connection. It asks whether that is enough with each new one, unless it is told how many there are."""

    def __init__(self, *args: Any, is_told: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if not is_told:
            # in place of nextcord's own question for the address, so that this costs no request
            self.http.get_gateway = self._gateway  # type: ignore[method-assign]

    async def _gateway(self, **options: Any) -> str:
        count, address = await self.http.get_bot_gateway(**options)
        if count > SINGLE:
            raise ShardsWanted(count)
        return str(address)


class ShardedBot(EaselBot, commands.AutoShardedBot):  # type: ignore[misc]  # as in nextcord's own classes
    """Several connections, all of them or those of this process."""

    def __init__(self, *args: Any, shard_ids: tuple[int, ...], shard_count: int, **options: Any) -> None:
        self._sharding: dict[str, Any] = {"shard_ids": list(shard_ids) or None, "shard_count": shard_count}
        self._is_taken_up = False
        super().__init__(*args, **options)

    def init_connections(self, **options: Any) -> None:
        """Make what nextcord is of this bot: not the single connection of `commands.Bot`."""
        commands.AutoShardedBot.__init__(self, **options, **self._sharding)

    async def on_shard_connect(self, shard_id: int) -> None:
        """Take up what is due with the first shard: the others are five seconds apart, and `on_ready` is after all."""
        if not self._is_taken_up:
            self._is_taken_up = True
            await self.take_up()


def bot_of(settings: DiscordSettings, *args: Any, asked: int = 0, **options: Any) -> EaselBot:
    """Make the bot with as many connections as are set, or else as Discord has asked for (0: not yet)."""
    count = settings.shard_count or asked
    if count > SINGLE:
        return ShardedBot(*args, settings, shard_ids=settings.shard_ids, shard_count=count, **options)
    return SingleBot(*args, settings, is_told=count == SINGLE, **options)
