"""The origin of a request, and the way back for its answer: from Discord's objects to an `Origin` of ids."""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.contexts import is_elsewhere
from cogs.posting import TRANSIENT
from constants import INTERACTION_TOKEN_S
from generation.errors import NotAllowed
from generation.job import Origin
from generation.person import Person
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

DOOR = "discord"
VIA_REPLY = "reply"  # asked for in plain words, in reply to a picture; behind it, `-1`, which one of several
NEEDED = {
    "view_channel": _("View Channel"),
    "send_messages": _("Send Messages"),
    "attach_files": _("Attach Files"),
    "read_message_history": _("Read Message History"),
}


def of_interaction(
    interaction: nextcord.Interaction, clock: Clock, *, private: bool = False, asked_in: str = "", via: str = ""
) -> Origin:
    """Describe a slash command, button or modal that will be answered with a message of its own.

    `asked_in`: the id of the reply in plain words that it carries out.
    """
    user = interaction.user
    assert user is not None, "Discord always says who"
    return Origin(
        door=DOOR,
        user_id=str(user.id),
        user_name=user.name,
        guild_id=_server(interaction),
        channel_id=_id(interaction.channel_id),
        is_elsewhere=is_elsewhere(interaction),
        places=_places(interaction.channel_id, interaction.channel),
        roles=() if is_elsewhere(interaction) else _roles(user),
        is_age_restricted=_is_age_restricted(interaction.channel),
        source_message_id=asked_in or None,
        via=via,
        reply_token=interaction.token,
        reply_token_until=clock.now() + timedelta(seconds=INTERACTION_TOKEN_S),
        private=private,
    )


def of_message(ctx: commands.Context[Any], *, private: bool = False, via: str = "") -> Origin:
    """Describe a prefix command; a private answer becomes a direct message."""
    return Origin(
        door=DOOR,
        user_id=str(ctx.author.id),
        user_name=ctx.author.name,
        guild_id=str(ctx.guild.id) if ctx.guild else None,
        channel_id=str(ctx.channel.id),
        places=_places(ctx.channel.id, ctx.channel),
        roles=_roles(ctx.author),
        is_age_restricted=_is_age_restricted(ctx.channel),
        source_message_id=str(ctx.message.id),
        via=via,
        private=private,
    )


def person_of(interaction: nextcord.Interaction) -> Person:
    """Return who acts and where, and whether they moderate there (Manage Messages in this channel)."""
    user = interaction.user
    assert user is not None, "Discord always says who"
    server = _server(interaction)
    is_moderator = bool(server) and interaction.permissions.manage_messages
    return Person(
        user_key=f"{DOOR}:{user.id}",
        name=user.name,
        guild_id=server,
        channel_id=_id(interaction.channel_id),
        is_moderator=is_moderator,
        is_manager=bool(server) and interaction.permissions.manage_guild,
        roles=_roles(user) if server else (),
    )


def person_with_rooms(interaction: nextcord.Interaction) -> Person:
    """Return who acts, with the channels of this server that they read: their lists hold what was made there."""
    person = person_of(interaction)
    guild, user = interaction.guild, interaction.user
    if guild is None or not isinstance(user, nextcord.Member):
        return person
    is_open = not _is_age_restricted(interaction.channel)
    rooms = [
        str(channel.id)
        for channel in (*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads)
        if _reads(channel, user) and not (is_open and _is_age_restricted(channel))
    ]
    return replace(person, rooms=frozenset(rooms))


def _reads(channel: Any, user: nextcord.Member) -> bool:
    if getattr(channel, "type", None) is nextcord.ChannelType.private_thread:
        return False
    try:
        held = channel.permissions_for(user)
    except nextcord.ClientException:  # a thread whose channel the bot does not see
        return False
    return bool(held.view_channel and held.read_message_history)


def person_of_message(ctx: commands.Context[Any]) -> Person:
    """Return the same for who wrote a prefix command."""
    channel: Any = ctx.channel
    held = nextcord.Permissions.none()
    if ctx.guild and not isinstance(channel, nextcord.PartialMessageable):  # a thread the bot was never told of
        with suppress(nextcord.ClientException):  # one whose channel it does not see
            held = channel.permissions_for(ctx.author)
    return Person(
        user_key=f"{DOOR}:{ctx.author.id}",
        name=ctx.author.name,
        guild_id=str(ctx.guild.id) if ctx.guild else None,
        channel_id=str(ctx.channel.id),
        is_moderator=held.manage_messages,
        is_manager=held.manage_guild,
        roles=_roles(ctx.author),
    )


def _places(channel_id: int | None, channel: Any) -> tuple[str, ...]:
    """Return the ids of a channel and, of a thread, of the channel it hangs on."""
    return tuple(str(number) for number in (channel_id, getattr(channel, "parent_id", None)) if number)


def _is_age_restricted(channel: Any) -> bool:
    """Return whether Discord keeps minors out of a channel; of a thread its parent decides. Unknown: it does not."""
    level = getattr(getattr(channel, "guild", None), "nsfw_level", None)
    if level in (nextcord.NSFWLevel.explicit, nextcord.NSFWLevel.age_restricted):
        return True
    return any(bool(getattr(each, "nsfw", False)) for each in (channel, getattr(channel, "parent", None)))


def _roles(user: Any) -> tuple[str, ...]:
    """Return the ids of somebody's roles; none in a direct message, or while the server is not known yet."""
    try:
        return tuple(str(role.id) for role in user.roles if not role.is_default())
    except AttributeError:
        return ()


def _server(interaction: nextcord.Interaction) -> str | None:
    """Return the id of the server, None where the bot is no member of it: nothing of ours belongs to that one."""
    return None if is_elsewhere(interaction) else _id(interaction.guild_id)


def _id(number: int | None) -> str | None:
    return str(number) if number else None


async def check_message_permissions(ctx: commands.Context[Any]) -> None:
    """Find out before the job that its picture could not be posted.

    Raises:
        NotAllowed: names the missing permissions.
    """
    if ctx.guild is None:
        return
    channel: Any = ctx.channel
    try:
        if isinstance(channel, nextcord.PartialMessageable):  # a thread the bot was never told of
            channel = await ctx.guild.fetch_channel(channel.id)
        permissions = channel.permissions_for(ctx.guild.me)
    except (nextcord.ClientException, nextcord.HTTPException, *TRANSIENT) as error:
        log.debug("permissions are not known (%s)", type(error).__name__)
        return  # the post itself will tell
    needed = dict(NEEDED)
    if isinstance(channel, nextcord.Thread):
        needed = {"send_messages_in_threads": _("Send Messages in Threads"), **needed}
        needed.pop("send_messages")
    if isinstance(channel, nextcord.VoiceChannel | nextcord.StageChannel):
        needed["connect"] = "Connect"  # without it Discord closes the channel's chat as well
    _check(permissions, needed)


def check_interaction_permissions(interaction: nextcord.Interaction) -> None:
    """The same for interactions; they may answer even where the bot may not send, but not attach."""
    if interaction.guild_id and interaction.app_permissions.value:
        _check(interaction.app_permissions, {"attach_files": NEEDED["attach_files"]})


def _check(permissions: nextcord.Permissions, needed: dict[str, str]) -> None:
    missing = [words for name, words in needed.items() if not getattr(permissions, name)]
    if missing:
        raise NotAllowed(
            _("I cannot post pictures here: I lack the permission {missing}.", missing=", ".join(missing)),
            hint=_("Ask a server admin to allow it for my role in this channel."),
        )
