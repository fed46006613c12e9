"""Tells people and moderators what the services of moderation have for them, by ids alone."""

import logging
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.moderation import text as moderation_text
from cogs.posting import TRANSIENT
from services.moderation.bundle import Moderation
from services.moderation.notices import ModerationNotice, TellLater
from texts.text import _

log = logging.getLogger(__name__)


class ModerationNotices(commands.Cog):
    """One who takes no direct messages is left in peace."""

    def __init__(self, bot: commands.Bot, *, moderation: Moderation) -> None:
        self._bot = bot
        self._moderation = moderation

    @commands.Cog.listener("on_ready")
    async def open(self) -> None:
        """Begin to tell, once the servers are known."""
        self._note_servers()
        self._moderation.notices.open(self.tell)

    @commands.Cog.listener("on_guild_join")
    async def on_join(self, guild: nextcord.Guild) -> None:
        self._note_servers()

    @commands.Cog.listener("on_guild_available")
    async def on_known(self, guild: nextcord.Guild) -> None:
        self._note_servers()

    @commands.Cog.listener("on_guild_remove")
    async def on_leave(self, guild: nextcord.Guild) -> None:
        self._note_servers()

    async def tell(self, notice: ModerationNotice) -> None:
        """Write to whom a notice is for.

        Raises:
            TellLater: Discord does not take it now.
        """
        try:
            await self._write(notice.user_key, self._words(notice))
        except (nextcord.DiscordServerError, *TRANSIENT) as error:
            raise TellLater(type(error).__name__) from error
        except nextcord.HTTPException as error:
            if error.status == 429:
                raise TellLater(str(error.status)) from error
            log.info("somebody could not be told (%s)", type(error).__name__, extra={"action": "notices"})

    async def _write(self, user_key: str, text: str) -> None:
        user_id = user_key.partition(":")[2]
        if not user_key.startswith("discord:") or not user_id.isdecimal():
            return
        user: Any = await self._bot.fetch_user(int(user_id))
        await user.send(text)

    def _words(self, notice: ModerationNotice) -> str:
        guild = self._bot.get_guild(int(notice.guild_id)) if notice.guild_id.isdecimal() else None
        return moderation_text.notice(notice.kind, guild.name if guild else _("a server"), notice.details)

    def _note_servers(self) -> None:
        self._moderation.homes.joined(str(guild.id) for guild in self._bot.guilds)
