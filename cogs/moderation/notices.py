"""Tells people and moderators what the services of moderation have for them, by ids alone."""

import logging
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Card
from cogs.direct import DirectRooms
from cogs.jobs.forms import pack
from cogs.jobs.messages import JobMessages
from cogs.moderation import report_text
from cogs.moderation import text as moderation_text
from cogs.posting import TRANSIENT
from cogs.wire.styles import edit_of, new_message
from services.moderation.bundle import Moderation
from services.moderation.notices import ModerationNotice, NoticeKind, TellLater
from services.moderation.reports import ReportState, ReportView
from texts.text import _

log = logging.getLogger(__name__)

MOST_SHOWN: Final = 4  # pictures of a batch


class ModerationNotices(commands.Cog):
    """One who takes no direct messages is left in peace."""

    def __init__(
        self, bot: commands.Bot, *, moderation: Moderation, messages: JobMessages, direct: DirectRooms
    ) -> None:
        self._bot = bot
        self._moderation = moderation
        self._messages = messages
        self._direct = direct

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
            await self._tell(notice)
        except (nextcord.DiscordServerError, *TRANSIENT) as error:
            raise TellLater(type(error).__name__) from error
        except nextcord.HTTPException as error:
            if error.status == 429:
                raise TellLater(str(error.status)) from error
            log.info("somebody could not be told (%s)", type(error).__name__, extra={"action": "notices"})

    async def _tell(self, notice: ModerationNotice) -> None:
        kind, server = NoticeKind(notice.kind), self._server(notice.guild_id)
        if kind in (NoticeKind.BANNED, NoticeKind.UNBANNED):
            await self._write(notice.user_key, Card(content=moderation_text.notice(kind, server, notice.details)))
            return
        if kind is NoticeKind.ALERT:
            await self._channel(notice.channel_id).send(moderation_text.alert(notice.details))
            return
        if (view := await self._moderation.reports.view(notice.subject)) is None:
            return
        if kind is NoticeKind.REPORTED:
            await self._show(view, notice.channel_id)
        elif kind is NoticeKind.WITHDRAWN:
            await self._withdraw(view)
        elif kind is NoticeKind.DECIDED:
            reason = str(notice.details.get("reason", ""))
            await self._write(notice.user_key, report_text.decided_card(view.report, server, reason))
        elif kind is NoticeKind.OUTCOME:
            state = ReportState(notice.details["state"])
            await self._write(notice.user_key, Card(content=report_text.outcome_text(state, server)))
        elif kind is NoticeKind.APPEAL:
            await self._write(notice.user_key, Card(content=report_text.appeal_text(view.report.appeal_state, server)))

    async def _show(self, view: ReportView, channel_id: str) -> None:
        """Post a report to the moderators, or edit the message that shows it."""
        report, card = view.report, report_text.report_card(view)
        channel = self._channel(channel_id)
        if report.card_message_id:
            message = channel.get_partial_message(int(report.card_message_id))
            is_gone = report.state in (ReportState.REMOVED, ReportState.BANNED)
            await message.edit(**edit_of(card, keeps_files=not is_gone))
            return
        count = len(view.job.result.images) if view.job and view.job.result else 0
        pictures = await self._messages.originals(view.job, tuple(range(min(count, MOST_SHOWN)))) if view.job else []
        hidden = [replace(picture, filename=f"SPOILER_{picture.filename}") for picture in pictures]
        first = next(iter(pack(hidden)), ()) if hidden else ()
        sent = await channel.send(**new_message(replace(card, pictures=tuple(first))))
        await self._moderation.reports.set_card(report.id, channel_id=channel_id, message_id=str(sent.id))

    async def _withdraw(self, view: ReportView) -> None:
        """Take a picture which moderators have removed from everywhere, and empty the message that showed it."""
        await self._moderation.reports.withdraw(view.report)
        if view.job is not None:
            await self._messages.empty(view.job, _("🚫 The moderators have removed this picture."))

    async def _write(self, user_key: str, card: Card) -> None:
        user_id = user_key.partition(":")[2]
        if not user_key.startswith("discord:") or not user_id.isdecimal():
            return
        channel = await self._direct.of(user_id)
        await channel.send(**new_message(self._direct.card(card)))

    def _channel(self, channel_id: str) -> Any:
        return self._bot.get_partial_messageable(int(channel_id), type=nextcord.ChannelType.text)

    def _server(self, guild_id: str) -> str:
        guild = self._bot.get_guild(int(guild_id)) if guild_id.isdecimal() else None
        return guild.name if guild else _("a server")

    def _note_servers(self) -> None:
        self._moderation.homes.joined(str(guild.id) for guild in self._bot.guilds)
