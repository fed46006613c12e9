"""Puts a card where a job's answer belongs, and in the next best place when that one is gone.

Order: the interaction's own message while its token lives, our message in the channel by the bot's token, a message
after the interaction's answer, a new message in the channel, a direct message. A private answer never goes to the
channel.

Edits may be repeated without harm. A new message may not: before a second attempt at one, the place is searched for
what the first has left, recognised by the id of the job or of its group in its buttons, or by what it replies to.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal
from weakref import WeakValueDictionary

import aiohttp
import nextcord
from nextcord.ext import commands

from cogs.cards import Card
from cogs.contexts import MOST_AFTER_FIRST
from cogs.direct import DirectRooms
from cogs.tokens import ReplyTokens
from cogs.wire.reading import ids_in, text_in
from cogs.wire.styles import CardStyle, MessageStyles, edit_of
from generation.job import Job, Origin
from lazy import dataclass
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

Place = Literal["reply", "message", "channel", "dm"]
TRANSIENT = (aiohttp.ClientError, nextcord.DiscordServerError, TimeoutError, ConnectionError)
TOO_LARGE, HTTP_TOO_LARGE = 40005, 413
UNKNOWN_WEBHOOK, INVALID_TOKEN = 10015, 50027
SEARCHED_MESSAGES = 100
PING_STAYS_S = 20.0  # long enough for a phone to show it
PING_TOGETHER_S = 5.0  # what ends within it of a ping is seen with what that was for
THINKING = ""  # in place of the id of an answer: it shows only that the bot is thinking
OPEN_RETRY_S = (1.0, 3.0)
ASKING = _("⏳ asking the engine…")  # a first answer where deciding takes longer than a moment


@dataclass(frozen=True, kw_only=True)
class Posted:
    """The place where a card ended up."""

    channel_id: str
    message_id: str
    place: Place


class NowhereToPost(Exception):
    """Every place this answer could go to is gone or closed to us."""


class Poster:
    """Sends and edits by ids alone, so that it works the same before and after a restart."""

    def __init__(
        self, bot: nextcord.Client, clock: Clock, style: CardStyle = "classic", direct: DirectRooms | None = None
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._styles = MessageStyles(style)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by token
        self._tokens = ReplyTokens()
        self._pinged: dict[tuple[str, str], float] = {}  # (person, channel) -> when
        self.direct = direct or DirectRooms(bot)

    def bucket(self, origin: Origin) -> str:
        """Name the edit budget this answer is charged to."""
        if self.has_reply(origin):
            return f"reply {origin.reply_token}"  # no text: a key
        return f"channel {origin.channel_id}"  # no text: a key

    def has_reply(self, origin: Origin) -> bool:
        """Return whether the interaction's token can still be used."""
        until = origin.reply_token_until
        is_alive = bool(origin.reply_token) and not self._tokens.is_dead(origin.reply_token)
        return is_alive and until is not None and self._clock.now() < until

    def note_thinking(self, origin: Origin) -> None:
        """Take in that an interaction was just answered with "thinking"."""
        self._tokens.note_answer(origin.reply_token, THINKING)

    async def edit(self, job: Job, card: Card, *, keeps_files: bool = True) -> None:
        """Edit the job's message where it stands, if there is one; files stay unless the card brings one."""
        if await self._edit_reply(job.origin, card, keeps_files=keeps_files) is None:
            await self._edit_message(job.origin, card, keeps_files=keeps_files)

    async def deliver(self, job: Job, card: Card, *, is_repeated: bool = False) -> Posted:
        """Put a final card into the best place that takes it.

        Raises:
            NowhereToPost: no place is left.
            Exception: one of `TRANSIENT`, a rate limit or a file too large: another call may work.
        """
        may_be_there = is_repeated or job.origin.message_id is not None
        attempts: tuple[Callable[[], Awaitable[Posted | None]], ...] = (
            lambda: self._edit_reply(job.origin, card),
            lambda: self._edit_message(job.origin, card),
            lambda: self._follow_up(job, card, may_be_there=may_be_there),
            lambda: self._post(job, card, may_be_there=may_be_there),
            lambda: self._write(job, card, may_be_there=may_be_there),
        )
        for attempt in attempts:
            try:
                posted = await attempt()
            except nextcord.DiscordServerError:
                raise
            except nextcord.HTTPException as error:
                if error.status == 429 or is_too_large(error):
                    raise
                log.info("place is gone (%s %s)", error.status, error.code, extra={"job": job.id})
                continue
            if posted is not None:
                return posted
        raise NowhereToPost

    async def present(self, job: Job, card: Card, *, is_repeated: bool) -> Posted | None:
        """Show a job for the first time; `None` where Discord did not take it: its result will find a place.

        `is_repeated`: an earlier process may have done so, without noting where.
        """
        for wait_s in (*OPEN_RETRY_S, None):
            try:
                return await self.deliver(job, card, is_repeated=is_repeated)
            except (nextcord.HTTPException, NowhereToPost, *TRANSIENT) as error:
                log.warning("a first answer was not taken (%s)", type(error).__name__, extra={"job": job.id})
                if wait_s is None or not isinstance(error, TRANSIENT):
                    break
                is_repeated = True  # the connection may have been cut after Discord had taken it
                await self._clock.sleep(wait_s)
        return None

    async def ping(self, origin: Origin, posted: Posted, text: str) -> None:
        """Notify the person, once, by a reply to a message of theirs that does not stay. Not worth a retry.

        What is ready right after another is seen with that.
        """
        now, pinged = self._clock.monotonic(), (origin.user_id, posted.channel_id)
        self._pinged = {key: at for key, at in self._pinged.items() if now - at < PING_TOGETHER_S}
        if pinged in self._pinged:
            return
        self._pinged[pinged] = now
        reference = nextcord.MessageReference(
            message_id=int(posted.message_id), channel_id=int(posted.channel_id), fail_if_not_exists=False
        )
        message: Any = None
        try:
            message = await self.channel(posted.channel_id).send(
                f"<@{origin.user_id}> {text}",
                reference=reference,
                mention_author=False,
                allowed_mentions=nextcord.AllowedMentions(users=[nextcord.Object(int(origin.user_id))]),
            )
            await self._clock.sleep(PING_STAYS_S)
            await message.delete()
        except asyncio.CancelledError:  # Easel stops: nobody comes back to take it away
            if message is not None:
                with suppress(nextcord.HTTPException, *TRANSIENT):
                    await message.delete()
            raise
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("could not ping (%s)", type(error).__name__)

    async def _edit_reply(self, origin: Origin, card: Card, *, keeps_files: bool = False) -> Posted | None:
        if not self.has_reply(origin) or (origin.answer_number and not origin.message_id):
            return None
        try:
            async with self._turn(origin):
                message = await self._put_into_reply(origin, card, keeps_files=keeps_files)
        except nextcord.HTTPException as error:
            if error.code in (UNKNOWN_WEBHOOK, INVALID_TOKEN):
                self._tokens.note_dead(origin.reply_token)
            raise
        return Posted(
            channel_id=origin.channel_id or str(message.channel.id), message_id=str(message.id), place="reply"
        )

    async def _put_into_reply(self, origin: Origin, card: Card, *, keeps_files: bool) -> Any:
        """Edit the message of a reply: by its id where it is known, since with --repeat one token has several."""
        known = origin.message_id
        if known is None and self._styles.is_v2:
            known = await self._answer(origin)
            if known == THINKING:
                # an edit cannot make a layout of "thinking…", but the first message that is sent takes its place
                return await self._send_in_reply(origin, card)
        if known and origin.channel_id:
            await self._look_at(origin.channel_id, known, card, keeps_files=keeps_files)
        send = partial(self.reply(origin).followup.edit_message, _message_id(origin.message_id))
        if origin.answer_number:
            return await self._styles.edit(known or "", send, card, keeps_files=keeps_files)
        self._tokens.note_answer(origin.reply_token, None)
        message = await self._styles.edit(known or "", send, card, keeps_files=keeps_files)
        self._tokens.note_answer(origin.reply_token, str(message.id))
        return message

    async def _answer(self, origin: Origin) -> str:
        """Return the id of the first answer, or `THINKING`: as this process knows it, or else Discord."""
        known = self._tokens.answer(origin.reply_token)
        if known is None:
            answer: Any = await self.reply(origin).followup.fetch_message(_message_id(None))
            known = THINKING if answer.flags.loading else self._styles.note(answer)
            self._tokens.note_answer(origin.reply_token, known)
        return known

    async def _send_in_reply(self, origin: Origin, card: Card) -> Any:
        values = self._styles.new(card)
        is_first = self._tokens.answer(origin.reply_token) == THINKING
        if is_first:
            self._tokens.note_answer(origin.reply_token, None)
        message = await self.reply(origin).followup.send(**values, ephemeral=origin.private, wait=True)
        assert message is not None, "it was waited for"
        message_id = self._styles.note(message, card)
        if is_first:
            self._tokens.note_answer(origin.reply_token, message_id)
        return message

    async def _edit_message(self, origin: Origin, card: Card, *, keeps_files: bool = False) -> Posted | None:
        is_ephemeral = origin.private and bool(origin.reply_token)
        is_direct = self.direct.is_one(origin.channel_id)
        if not origin.message_id or not origin.channel_id or is_ephemeral or (origin.is_elsewhere and not is_direct):
            return None
        shown = self.direct.card(card) if origin.private else card
        await self.edit_in(self.channel(origin.channel_id), origin.message_id, shown, keeps_files=keeps_files)
        return Posted(channel_id=origin.channel_id, message_id=origin.message_id, place="message")

    async def edit_in(self, channel: Any, message_id: str, card: Card, *, keeps_files: bool = False) -> None:
        """Turn a message of ours in a channel into a card."""
        message = channel.get_partial_message(int(message_id))
        await self._look_at(channel.id, message_id, card, keeps_files=keeps_files)
        send = partial(message.edit, allowed_mentions=nextcord.AllowedMentions.none())
        await self._styles.edit(message_id, send, card, keeps_files=keeps_files)

    async def _look_at(self, channel_id: int | str, message_id: str, card: Card, *, keeps_files: bool) -> None:
        """Find out which files a layout shows that an earlier process sent, before an edit that keeps them."""
        if not self._styles.is_unread(message_id, card, keeps_files=keeps_files):
            return
        with suppress(nextcord.HTTPException):  # one that only one person sees cannot be read
            raw: Any = await self._bot.http.get_message(int(channel_id), int(message_id))
            self._styles.note_files(message_id, raw.get("components"))

    async def send_to(self, channel: Any, card: Card, **options: Any) -> str:
        """Send a card as a new message; return its id."""
        return self._styles.note(await channel.send(**self._styles.new(card), **options), card)

    async def _follow_up(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        """Send a message after the answer to an interaction: with a repeat, one token has several messages."""
        origin = job.origin
        if not origin.answer_number or origin.message_id or not self.has_reply(origin):
            return None
        if origin.is_elsewhere and origin.answer_number > MOST_AFTER_FIRST:
            return None
        if may_be_there and not origin.private and not origin.is_elsewhere and origin.channel_id:
            with suppress(nextcord.NotFound):  # the bot may answer in channels it does not see
                channel = self.channel(origin.channel_id)
                if earlier := await self.find_in(channel, origin, job.id):
                    await self.edit_in(channel, earlier, card)
                    return Posted(channel_id=origin.channel_id, message_id=earlier, place="reply")
        async with self._turn(origin):
            # a message that is sent while the answer is still "thinking" would become that answer
            if await self._answer(origin) == THINKING:
                answer = await self.reply(origin).followup.edit_message(_message_id(None), content=ASKING)
                self._tokens.note_answer(origin.reply_token, str(answer.id) if answer else None)
            message = await self._send_in_reply(origin, card)
        channel_id = origin.channel_id or str(message.channel.id)
        return Posted(channel_id=channel_id, message_id=str(message.id), place="reply")

    async def _post(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        origin = job.origin
        if origin.private or origin.is_elsewhere or not origin.channel_id:
            return None
        channel = self.channel(origin.channel_id)
        message_id = await self._send(channel, job, card, may_be_there=may_be_there, **reference_to(origin))
        return Posted(channel_id=origin.channel_id, message_id=message_id, place="channel")

    async def _write(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        """Send it as a direct message."""
        channel = await self.direct.of(job.origin.user_id)
        message_id = await self._send(channel, job, self.direct.card(card), may_be_there=may_be_there)
        return Posted(channel_id=str(channel.id), message_id=message_id, place="dm")

    async def _send(self, channel: Any, job: Job, card: Card, *, may_be_there: bool, **options: Any) -> str:
        earlier = await self.find_in(channel, job.origin, job.id) if may_be_there else None
        if earlier is not None:
            await self.edit_in(channel, earlier, card)
            return earlier
        return await self.send_to(channel, card, **options)

    async def find_in(self, channel: Any, origin: Origin, job_id: str = "") -> str | None:
        """Look among the newest messages, and among those that came right after the request; return an id."""
        places: list[int | None] = [None]
        if origin.source_message_id:
            places.append(int(origin.source_message_id))
        try:
            for after in places:
                async for raw in self.own_messages(channel, after):
                    if shows(raw, origin, job_id):
                        return str(raw["id"])
        except nextcord.Forbidden:  # the history may be closed to us where sending is open
            return None
        return None

    async def own_messages(self, channel: Any, after: int | None = None) -> AsyncIterator[Mapping[str, Any]]:
        """Yield messages of ours, the newest or those right after one, raw: nextcord does not read a layout."""
        own_id = str(self._bot.user.id) if self._bot.user else ""
        newest_first = await self._bot.http.logs_from(channel.id, SEARCHED_MESSAGES, after=after)
        for raw in newest_first if after is None else reversed(newest_first):
            if str(raw["author"]["id"]) == own_id:
                yield raw

    def _turn(self, origin: Origin) -> asyncio.Lock:
        """Return what is held while one of a token's messages is sent or edited."""
        return self._turns.setdefault(origin.reply_token, asyncio.Lock())

    def channel(self, channel_id: str) -> nextcord.PartialMessageable:
        """Return a channel of any kind by its id alone.

        Not the bot's own object of it: there may be none (a thread it was not told of), and nextcord lets messages be
        edited by their id in text channels and threads only, though people write in voice and stage channels too.
        """
        return self._bot.get_partial_messageable(int(channel_id), type=nextcord.ChannelType.text)

    def reply(self, origin: Origin, interaction_id: str = "0") -> nextcord.Interaction:
        """Rebuild the interaction from its token (and its id, to acknowledge it): its object dies with the process."""
        data: dict[str, Any] = {
            "id": interaction_id,
            "application_id": str(self._bot.application_id),
            "type": 2,
            "version": 1,
            "token": origin.reply_token,
            "channel_id": origin.channel_id,
            "user": {"id": origin.user_id, "username": origin.user_name, "discriminator": "0", "avatar": None},
            "data": {"id": "0", "name": "", "type": 1},
        }
        if origin.guild_id:
            data["guild_id"] = origin.guild_id
        return self._bot.get_interaction(data)


def is_too_large(error: Exception) -> bool:
    """Return whether Discord refused a file for its size."""
    return isinstance(error, nextcord.HTTPException) and (error.code == TOO_LARGE or error.status == HTTP_TOO_LARGE)


async def reply_to(ctx: commands.Context[Any], **values: Any) -> nextcord.Message:
    """Reply to a command; where its message is gone already, simply say it."""
    reference = ctx.message.to_reference(fail_if_not_exists=False)
    return await ctx.send(**values, reference=reference, mention_author=False)


async def edit_answer(interaction: nextcord.Interaction, card: Card, *, keeps_files: bool = True) -> Any:
    """Put a card into the message an interaction was answered with; return that message."""
    return await interaction.followup.edit_message(_message_id(None), **edit_of(card, keeps_files=keeps_files))


def _message_id(known: str | None) -> Any:
    """Name a message of an interaction's webhook, the first answer if none is known.

    Not by `edit_original_message`: in nextcord 3.2 that fails on reading an answer that is a reply, as to a button.
    """
    return int(known) if known else "@original"


def reference_to(origin: Origin) -> dict[str, Any]:
    if not origin.source_message_id or not origin.channel_id:
        return {}
    reference = nextcord.MessageReference(
        message_id=int(origin.source_message_id), channel_id=int(origin.channel_id), fail_if_not_exists=False
    )
    return {"reference": reference, "mention_author": False}


def shows(raw: Mapping[str, Any], origin: Origin, job_id: str = "") -> bool:
    """Return whether a message of ours is a job's, or announces the answer to its request."""
    if holds_job(ids_in(raw.get("components")), origin, job_id):
        return True
    return origin.answer_number == 0 and text_in(raw) == ASKING and answers(raw, origin)


def holds_job(custom_ids: Iterable[str], origin: Origin, job_id: str) -> bool:
    """Return whether one of the controls of a message is a job's or of the comparison it belongs to."""
    ids = {job_id, origin.group_id or ""} - {""}
    return any(ids.intersection(custom_id.split(":")) for custom_id in custom_ids)


def answers(raw: Mapping[str, Any], origin: Origin) -> bool:
    """Return whether a message replies to the request itself."""
    asked_id, reference = origin.source_message_id, raw.get("message_reference") or {}
    return asked_id is not None and str(reference.get("message_id")) == asked_id
