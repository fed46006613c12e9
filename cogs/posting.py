"""Puts a card where a job's answer belongs, and in the next best place when that one is gone.

Order: the interaction's own message while its token lives, our message in the channel by the bot's token, a new
message in the channel, a direct message. A private answer never goes to the channel.
"""

import logging
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import nextcord

from cogs.cards import Card, to_files, to_view
from generation.job import Job, Origin
from utils.clock import Clock

log = logging.getLogger(__name__)

Place = Literal["reply", "message", "channel", "dm"]
TRANSIENT = (aiohttp.ClientError, nextcord.DiscordServerError, TimeoutError, ConnectionError)
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008
TOO_LARGE = 40005


@dataclass(frozen=True, kw_only=True)
class Posted:
    """Where a card ended up."""

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

    def bucket(self, origin: Origin) -> str:
        """Name the edit budget this answer is charged to."""
        return f"reply {origin.reply_token}" if self.has_reply(origin) else f"channel {origin.channel_id}"

    def has_reply(self, origin: Origin) -> bool:
        """Say whether the interaction's token can still be used."""
        until = origin.reply_token_until
        return bool(origin.reply_token) and until is not None and self._clock.now() < until

    async def edit(self, job: Job, card: Card) -> Posted | None:
        """Edit the job's message where it stands; `None` if it has none that can be edited now."""
        origin = job.origin
        if self.has_reply(origin):
            message: Any = await self._reply(origin).edit_original_message(**_changes(card))
            return Posted(channel_id=str(message.channel.id), message_id=str(message.id), place="reply")
        if origin.message_id and origin.channel_id and not (origin.private and origin.reply_token):
            channel = await self._channel(origin.channel_id)
            message = await channel.get_partial_message(int(origin.message_id)).edit(**_changes(card))
            return Posted(channel_id=origin.channel_id, message_id=origin.message_id, place="message")
        return None

    async def deliver(self, job: Job, card: Card) -> Posted:
        """Put a final card into the best place that takes it.

        Raises:
            NowhereToPost: no place is left.
            Exception: one of `TRANSIENT` or a rate limit: the same call may work later.
        """
        origin = job.origin
        attempts = [self._by_reply, self._by_message, self._by_channel, self._by_dm]
        for attempt in attempts:
            try:
                posted = await attempt(origin, card)
            except nextcord.DiscordServerError:
                raise
            except nextcord.HTTPException as error:
                if error.status == 429 or error.code == TOO_LARGE:
                    raise
                log.info("place is gone (%s %s)", error.status, error.code, extra={"job": job.id})
                continue
            if posted is not None:
                return posted
        raise NowhereToPost

    async def ping(self, origin: Origin, posted: Posted) -> None:
        """Tell the person, once, that the picture is there. Not worth a retry."""
        reference = nextcord.MessageReference(
            message_id=int(posted.message_id), channel_id=int(posted.channel_id), fail_if_not_exists=False
        )
        try:
            channel = await self._channel(posted.channel_id)
            await channel.send(
                f"<@{origin.user_id}> your picture is ready.",
                reference=reference,
                mention_author=False,
                allowed_mentions=nextcord.AllowedMentions(users=[nextcord.Object(int(origin.user_id))]),
            )
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("could not ping (%s)", type(error).__name__)

    async def find_own_reply(self, origin: Origin) -> str | None:
        """Look for our answer to a message: it was sent, but a crash kept its id from the store."""
        if not (origin.channel_id and origin.source_message_id):
            return None
        channel = await self._channel(origin.channel_id)
        after = nextcord.Object(int(origin.source_message_id))
        async for message in channel.history(limit=50, after=after, oldest_first=True):
            reference = message.reference
            is_ours = self._bot.user is not None and message.author.id == self._bot.user.id
            if is_ours and reference and str(reference.message_id) == origin.source_message_id:
                return str(message.id)
        return None

    async def _by_reply(self, origin: Origin, card: Card) -> Posted | None:
        if not self.has_reply(origin):
            return None
        message: Any = await self._reply(origin).edit_original_message(**_changes(card))
        return Posted(channel_id=str(message.channel.id), message_id=str(message.id), place="reply")

    async def _by_message(self, origin: Origin, card: Card) -> Posted | None:
        is_ephemeral = origin.private and bool(origin.reply_token)
        if not origin.message_id or not origin.channel_id or is_ephemeral:
            return None
        channel = await self._channel(origin.channel_id)
        await channel.get_partial_message(int(origin.message_id)).edit(**_changes(card))
        return Posted(channel_id=origin.channel_id, message_id=origin.message_id, place="message")

    async def _by_channel(self, origin: Origin, card: Card) -> Posted | None:
        if origin.private or not origin.channel_id:
            return None
        channel = await self._channel(origin.channel_id)
        sent = await channel.send(**new_message(card), **_reference(origin))
        return Posted(channel_id=origin.channel_id, message_id=str(sent.id), place="channel")

    async def _by_dm(self, origin: Origin, card: Card) -> Posted | None:
        user = await self._bot.fetch_user(int(origin.user_id))
        sent = await user.send(**new_message(card))
        return Posted(channel_id=str(sent.channel.id), message_id=str(sent.id), place="dm")

    async def _channel(self, channel_id: str) -> Any:
        """Return a channel we can send to, from memory or by asking."""
        found = self._bot.get_channel(int(channel_id))
        return found if found is not None else await self._bot.fetch_channel(int(channel_id))

    def _reply(self, origin: Origin) -> nextcord.Interaction:
        """Rebuild the interaction from its token: its own object does not survive a restart."""
        data: dict[str, Any] = {
            "id": "0",
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


def new_message(card: Card) -> dict[str, Any]:
    """Return the arguments that send a card as a new message."""
    values: dict[str, Any] = {"content": card.content, "files": to_files(card.pictures)}
    view = to_view(card.rows)
    return {**values, "view": view} if view else values


def _changes(card: Card) -> dict[str, Any]:
    """Return the arguments that turn an existing message into a card: what is not listed there goes away."""
    return {
        "content": card.content,
        "view": to_view(card.rows),
        "files": to_files(card.pictures),
        "attachments": [],
    }


def _reference(origin: Origin) -> dict[str, Any]:
    if not origin.source_message_id or not origin.channel_id:
        return {}
    reference = nextcord.MessageReference(
        message_id=int(origin.source_message_id), channel_id=int(origin.channel_id), fail_if_not_exists=False
    )
    return {"reference": reference, "mention_author": False}
