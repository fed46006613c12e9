"""Puts a card where a job's answer belongs, and in the next best place when that one is gone.

Order: the interaction's own message while its token lives, our message in the channel by the bot's token, a message
after the interaction's answer, a new message in the channel, a direct message. A private answer never goes to the
channel.

Edits may be repeated without harm. A new message may not: before a second attempt at one, the place is searched for
what the first has left, recognised by the id of the job or of its group in its buttons, or by what it replies to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakValueDictionary

import aiohttp
import nextcord
from nextcord.ext import commands

from cogs.cards import Card, to_files, to_view
from generation.job import Job, Origin
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

Place = Literal["reply", "message", "channel", "dm"]
TRANSIENT = (aiohttp.ClientError, nextcord.DiscordServerError, TimeoutError, ConnectionError)
TOO_LARGE, HTTP_TOO_LARGE = 40005, 413
UNKNOWN_WEBHOOK, INVALID_TOKEN = 10015, 50027
SEARCHED_MESSAGES = 100
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

    def __init__(self, bot: nextcord.Client, clock: Clock) -> None:
        self._bot = bot
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by token
        self._dead_tokens: set[str] = set()  # refused before their time; asking again would count against the bot

    def bucket(self, origin: Origin) -> str:
        """Name the edit budget this answer is charged to."""
        if self.has_reply(origin):
            return f"reply {origin.reply_token}"  # no text: a key
        return f"channel {origin.channel_id}"  # no text: a key

    def has_reply(self, origin: Origin) -> bool:
        """Return whether the interaction's token can still be used."""
        until = origin.reply_token_until
        is_alive = bool(origin.reply_token) and origin.reply_token not in self._dead_tokens
        return is_alive and until is not None and self._clock.now() < until

    async def edit(self, job: Job, card: Card) -> None:
        """Edit the job's message where it stands, if there is one; files stay unless the card brings one."""
        if await self._edit_reply(job.origin, card, keeps_files=True) is None:
            await self._edit_message(job.origin, card, keeps_files=True)

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
        """Write to the person, once, in a reply to a message of theirs. Not worth a retry."""
        reference = nextcord.MessageReference(
            message_id=int(posted.message_id), channel_id=int(posted.channel_id), fail_if_not_exists=False
        )
        try:
            await self.channel(posted.channel_id).send(
                f"<@{origin.user_id}> {text}",
                reference=reference,
                mention_author=False,
                allowed_mentions=nextcord.AllowedMentions(users=[nextcord.Object(int(origin.user_id))]),
            )
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("could not ping (%s)", type(error).__name__)

    async def _edit_reply(self, origin: Origin, card: Card, *, keeps_files: bool = False) -> Posted | None:
        if not self.has_reply(origin) or (origin.answer_number and not origin.message_id):
            return None
        reply, changes = self.reply(origin), edit_of(card, keeps_files=keeps_files)
        try:
            async with self._turn(origin):
                # by its id where it is known, since with --repeat one token has several messages
                message: Any = await reply.followup.edit_message(_message_id(origin.message_id), **changes)
        except nextcord.HTTPException as error:
            if error.code in (UNKNOWN_WEBHOOK, INVALID_TOKEN):
                self._dead_tokens.add(origin.reply_token)
            raise
        return Posted(
            channel_id=origin.channel_id or str(message.channel.id), message_id=str(message.id), place="reply"
        )

    async def _edit_message(self, origin: Origin, card: Card, *, keeps_files: bool = False) -> Posted | None:
        is_ephemeral = origin.private and bool(origin.reply_token)
        if not origin.message_id or not origin.channel_id or is_ephemeral:
            return None
        message = self.channel(origin.channel_id).get_partial_message(int(origin.message_id))
        await message.edit(**edit_of(card, keeps_files=keeps_files), allowed_mentions=nextcord.AllowedMentions.none())
        return Posted(channel_id=origin.channel_id, message_id=origin.message_id, place="message")

    async def _follow_up(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        """Send a message after the answer to an interaction: with a repeat, one token has several messages."""
        origin = job.origin
        if not origin.answer_number or origin.message_id or not self.has_reply(origin):
            return None
        if may_be_there and not origin.private and origin.channel_id:
            with suppress(nextcord.NotFound):  # the bot may answer in channels it does not see
                if earlier := await self.find_in(self.channel(origin.channel_id), origin, job.id):
                    await earlier.edit(**edit_of(card))
                    return Posted(channel_id=origin.channel_id, message_id=str(earlier.id), place="reply")
        followup = self.reply(origin).followup
        async with self._turn(origin):
            # a message that is sent while the answer is still "thinking" would become that answer
            answer = await followup.fetch_message(_message_id(None))
            if answer.flags.loading:
                await followup.edit_message(_message_id(None), content=ASKING)
            message: Any = await followup.send(**new_message(card), ephemeral=origin.private, wait=True)
        channel_id = origin.channel_id or str(message.channel.id)
        return Posted(channel_id=channel_id, message_id=str(message.id), place="reply")

    async def _post(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        origin = job.origin
        if origin.private or not origin.channel_id:
            return None
        channel = self.channel(origin.channel_id)
        message_id = await self._send(channel, job, card, may_be_there=may_be_there, **reference_to(origin))
        return Posted(channel_id=origin.channel_id, message_id=message_id, place="channel")

    async def _write(self, job: Job, card: Card, *, may_be_there: bool) -> Posted | None:
        """Send it as a direct message."""
        user = await self._bot.fetch_user(int(job.origin.user_id))
        channel = user.dm_channel or await user.create_dm()
        message_id = await self._send(channel, job, card, may_be_there=may_be_there)
        return Posted(channel_id=str(channel.id), message_id=message_id, place="dm")

    async def _send(self, channel: Any, job: Job, card: Card, *, may_be_there: bool, **options: Any) -> str:
        earlier = await self.find_in(channel, job.origin, job.id) if may_be_there else None
        if earlier is not None:
            await earlier.edit(**edit_of(card))
            return str(earlier.id)
        return str((await channel.send(**new_message(card), **options)).id)

    async def find_in(self, channel: Any, origin: Origin, job_id: str = "") -> nextcord.Message | None:
        """Look among the newest messages, and among those that came right after the request."""
        places: list[dict[str, Any]] = [{}]
        if origin.source_message_id:
            places.append({"after": nextcord.Object(int(origin.source_message_id))})
        try:
            for place in places:
                async for message in channel.history(limit=SEARCHED_MESSAGES, **place):
                    if message.author == self._bot.user and shows(message, origin, job_id):
                        return message  # type: ignore[no-any-return]
        except nextcord.Forbidden:  # the history may be closed to us where sending is open
            return None
        return None

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


def new_message(card: Card) -> dict[str, Any]:
    """Return the arguments that send a card as a new message."""
    values: dict[str, Any] = {"content": card.content}
    if card.pictures:
        values["files"] = to_files(card.pictures)
    if view := to_view(card.rows):
        values["view"] = view
    return values


def edit_of(card: Card, *, keeps_files: bool = False) -> dict[str, Any]:
    """Return the arguments that turn an existing message into a card.

    Args:
        card: what the message should be.
        keeps_files: leave earlier files there if the card brings none; otherwise what is not in the card goes away.
    """
    values: dict[str, Any] = {"content": card.content, "view": to_view(card.rows)}
    if card.pictures or not keeps_files:
        values["attachments"] = []
    if card.pictures:
        values["files"] = to_files(card.pictures)
    return values


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


def shows(message: nextcord.Message, origin: Origin, job_id: str = "") -> bool:
    """Return whether a message of ours is a job's, or announces the answer to its request."""
    ids = {job_id, origin.group_id or ""} - {""}
    children = (child for row in message.components for child in getattr(row, "children", ()))
    custom_ids = (getattr(child, "custom_id", None) or "" for child in children)
    if any(ids.intersection(custom_id.split(":")) for custom_id in custom_ids):
        return True
    return origin.answer_number == 0 and message.content == ASKING and answers(message, origin)


def answers(message: nextcord.Message, origin: Origin) -> bool:
    """Return whether a message replies to the request itself."""
    asked_id, reference = origin.source_message_id, message.reference
    return asked_id is not None and reference is not None and str(reference.message_id) == asked_id
