"""Report on a request before it has a job: that it is being worked on, or why it is refused. By ids alone."""

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import nextcord

from cogs.cards import Card, Row
from cogs.posting import ASKING, TRANSIENT, Posted, Poster, answers, reference_to
from cogs.wire.reading import text_in
from cogs.wire.styles import new_message
from generation.errors import NotAllowed
from generation.job import Origin
from services.drawing.intakes import Intake
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

ACKNOWLEDGED_WITHIN: Final = timedelta(seconds=3)  # by then Discord has told the person that nobody answers


class Teller:
    """Announces answers, finds what an earlier process announced, and tells refusals."""

    def __init__(self, poster: Poster, clock: Clock) -> None:
        self._poster = poster
        self._clock = clock
        self.taken: set[str] = set()  # direct messages that await an answer of their own

    def note_thinking(self, origin: Origin) -> None:
        """Take in that an interaction was just answered with "thinking"."""
        self._poster.note_thinking(origin)

    async def acknowledge(self, interaction_id: str, origin: Origin) -> bool:
        """Acknowledge a press that an earlier process may not have come to acknowledge, if there is time left.

        Return whether the bot is seen thinking only since then.
        """
        if self._clock.now() - nextcord.utils.snowflake_time(int(interaction_id)) > ACKNOWLEDGED_WITHIN:
            return False
        reply = self._poster.reply(origin, interaction_id)
        try:
            await reply.followup.fetch_message("@original")  # type: ignore[arg-type]  # there is one once it was
        except nextcord.NotFound:
            await reply.response.defer(ephemeral=origin.private, with_message=True)
            return True
        return False

    async def announce(self, origin: Origin) -> Posted | None:
        """Report that an answer to a command is on its way; None where Discord did not take that.

        Raises:
            NotAllowed: the answer is private, and this person takes no direct messages from us.
        """
        try:
            if not origin.private:
                channel: Any = self._poster.channel(origin.channel_id or "0")
                message_id = await self._poster.send_to(channel, Card(content=ASKING), **reference_to(origin))
            else:
                channel = await self._poster.direct.of(origin.user_id)
                message_id = await self._poster.send_to(channel, Card(content=ASKING))
                self.taken.add(message_id)
        except nextcord.Forbidden as error:
            if not origin.private:
                return None
            raise NotAllowed(
                _("I cannot send you a direct message, so I cannot answer in private."),
                hint=_("Allow direct messages from this server, or use `/generate` with `private`."),
            ) from error
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.warning("an answer could not be announced (%s)", type(error).__name__)
            return None
        return Posted(channel_id=str(channel.id), message_id=message_id, place="message")

    async def find(self, intake: Intake) -> Posted | None:
        """Find the message in which an earlier process announced the answer, without coming to note where."""
        origin = intake.origin
        try:
            if not origin.private:
                channel: Any = self._poster.channel(origin.channel_id or "0")
                message_id = await self._poster.find_in(channel, origin)
            else:
                channel = await self._poster.direct.of(origin.user_id)
                message_id = await self._find_direct(channel, intake)
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.warning("an earlier answer could not be looked for (%s)", type(error).__name__)
            return None
        if message_id is None:
            return None
        return Posted(channel_id=str(channel.id), message_id=message_id, place="message")

    async def refuse(self, origin: Origin, text: str, *, rows: tuple[Row, ...] = (), is_repeated: bool = False) -> None:
        """Report why a request is refused: only the person who pressed, or in reply to a command.

        `rows`: what they may press; `is_repeated`: an earlier process may have done so.
        """
        try:
            if self._poster.has_reply(origin):
                return await self._refuse_press(origin, text, rows)
            if origin.message_id and origin.channel_id:
                channel = self._poster.channel(origin.channel_id)
                card = Card(content=text, rows=rows)
                return await self._poster.edit_in(channel, origin.message_id, card, keeps_files=True)
            if origin.source_message_id and origin.channel_id:
                return await self._refuse_in_channel(origin, text, rows, is_repeated=is_repeated)
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("a refusal could not be told in place (%s)", type(error).__name__)
        try:
            direct = await self._poster.direct.of(origin.user_id)
            card = Card(content=f"<#{origin.channel_id}>: {text}", rows=rows)  # "here" is not where this is read
            await direct.send(**new_message(self._poster.direct.card(card)))
        except (nextcord.HTTPException, *TRANSIENT) as lost:
            log.info("nowhere to tell an error (%s)", type(lost).__name__)

    async def refuse_alone(self, origin: Origin, text: str) -> None:
        """Report a refusal whose reason is for this person alone: in answer to a press, else in a direct message."""
        if self._poster.has_reply(origin):
            await self.refuse(origin, text)
            return
        try:
            direct = await self._poster.direct.of(origin.user_id)
            await direct.send(f"<#{origin.channel_id}>: {text}")
        except (nextcord.HTTPException, *TRANSIENT) as lost:
            log.info("a refusal could not be told in private (%s)", type(lost).__name__)
        else:
            if not origin.message_id:
                return
        await self.refuse(origin, _("🚫 You cannot ask for pictures in this server."))

    async def _refuse_press(self, origin: Origin, text: str, rows: tuple[Row, ...]) -> None:
        reply = self._poster.reply(origin)
        with suppress(nextcord.HTTPException):  # a public "thinking…" is taken back first
            await reply.delete_original_message()
        await reply.followup.send(**new_message(Card(content=text, rows=rows)), ephemeral=True)

    async def _refuse_in_channel(self, origin: Origin, text: str, rows: tuple[Row, ...], *, is_repeated: bool) -> None:
        channel: Any = self._poster.channel(origin.channel_id or "0")
        if is_repeated:
            async for raw in self._poster.own_messages(channel, int(origin.source_message_id or "0")):
                if answers(raw, origin):
                    return
        await channel.send(**new_message(Card(content=text, rows=rows)), **reference_to(origin))

    async def _find_direct(self, channel: Any, intake: Intake) -> str | None:
        """Direct messages reply to nothing: any that still announces, and that no other request has, will do."""
        async for raw in self._poster.own_messages(channel, int(intake.id)):
            message_id = str(raw["id"])
            if text_in(raw) == ASKING and message_id not in self.taken:
                self.taken.add(message_id)
                return message_id
        return None
