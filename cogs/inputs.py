"""Pictures that are pointed at in a prompt: `--image` with a member, a message, an address, or a result of your own.

Messages are taken only from where the person may read them, in the server they ask in. An address that is not
Discord's own goes through the guard of `net` when the order is carried out.
"""

import re
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.attachments import address_of, pictures_in
from cogs.cards import controls_of
from cogs.origin import person_of, person_of_message
from cogs.posting import TRANSIENT
from cogs.wire.reading import whole
from generation.errors import RequestRejected
from generation.job import Job
from generation.person import Person
from generation.several_pictures import MAX_INPUT_PICTURES
from lazy import dataclass, pattern
from services.drawing.generation import GenerationService
from texts.text import _

LAST: Final = "last"
ME: Final = "me"
AVATAR_PX: Final = 1024
RECENT: Final = 10  # newest jobs that are looked through for a picture
FIELD: Final = "image"
MESSAGE_LINK: Final = pattern(
    r"<?https?://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/channels/(\d{1,20}|@me)/(\d{1,20})/(\d{1,20})/?>?(?=[\s,;]|$)"
)
_OPTION: Final = pattern(r"(?<!\S)(?:--|—)image(?:\s+|=)(\S+)", re.IGNORECASE)
_MEMBER: Final = pattern(r"<@!?(\d{1,20})>")
NOT_THERE: Final = _("That message is not there, or not for you to read here.")
WRITTEN: Final = _(
    "Write `--image` with a member (`--image me`), the link of a message, the address of a picture, `last`, or the id "
    "of a job."
)


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A prompt without what pointed at pictures, and these: files by their addresses and names, and one `link`."""

    text: str
    files: tuple[tuple[str, str], ...] = ()
    link: str = ""  # an address, or the id of a picture that is here


@dataclass(frozen=True, kw_only=True)
class Asker:
    """The one who asks, and where: what a look-up in Discord needs."""

    client: nextcord.Client
    user: Any  # a member, or a user in a direct message
    guild: nextcord.Guild | None
    channel_id: int | None
    person: Person

    @classmethod
    def of_message(cls, ctx: commands.Context[Any]) -> "Asker":
        return cls(
            client=ctx.bot,
            user=ctx.author,
            guild=ctx.guild,
            channel_id=ctx.channel.id,
            person=person_of_message(ctx),
        )

    @classmethod
    def of_interaction(cls, interaction: nextcord.Interaction) -> "Asker":
        return cls(
            client=interaction.client,
            user=interaction.user,
            guild=interaction.guild,
            channel_id=interaction.channel_id,
            person=person_of(interaction),
        )


class Inputs:
    """Looks up what a prompt points at."""

    def __init__(self, service: GenerationService) -> None:
        self._service = service

    async def read(self, text: str, asker: Asker) -> Brought:
        """Return a prompt's pictures; other addresses stay in it, for the parser.

        Raises:
            RequestRejected: one cannot be found, or shows several.
        """
        named = _OPTION.findall(text)
        brought = Brought(text=_OPTION.sub(" ", text).strip() if named else text)
        for word in named:
            brought = await self._add(brought, word, asker)
        for link in MESSAGE_LINK.finditer(brought.text):
            brought = await self._add(brought, link[0], asker)
        rest = MESSAGE_LINK.sub(" ", brought.text)
        return replace(brought, text=rest.strip() if rest != brought.text else rest)

    async def job_at(self, word: str, asker: Asker) -> Job:
        """Return the job of a picture: by the link of its message, its id, or `last`, the newest of who asks.

        Raises:
            RequestRejected: there is none, or none for these eyes.
        """
        if message := MESSAGE_LINK.fullmatch(word.strip()):
            return await self._job_of(await _message(asker, *message.groups()), asker)
        if word.strip().casefold() == LAST:
            return await self._last(asker)
        return await self._own(word.strip(), asker)

    async def job_in(self, channel_id: int, message_id: int, asker: Asker) -> Job:
        """Return the job of a message in a place that who asks is in.

        Raises:
            RequestRejected: it shows none.
        """
        guild = str(asker.guild.id) if asker.guild else ""
        return await self._job_of(await _message(asker, guild, str(channel_id), str(message_id)), asker)

    async def _job_of(self, message: nextcord.Message, asker: Asker) -> Job:
        job_id = next((job_id for __, job_id, __ in controls_of(message) if job_id.strip("-")), "")
        if not job_id or not asker.client.user or message.author.id != asker.client.user.id:
            raise RequestRejected(_("That message shows no picture of mine."), field=FIELD)
        try:
            return await self._service.visible(job_id, asker.person)
        except RequestRejected as error:  # as for a press there: others' pictures are gone on from where they stand
            raise RequestRejected(
                _("That picture is not for you to go on from here."),
                field=FIELD,
                hint=_("Ask in the channel where it stands."),
            ) from error

    async def _add(self, brought: Brought, word: str, asker: Asker) -> Brought:
        member, message = _MEMBER.fullmatch(word), MESSAGE_LINK.fullmatch(word)
        if member or word.casefold() == ME:
            user = await _user(asker, int(member[1])) if member else asker.user
            return _with(brought, (_avatar_of(user), f"{user.display_name}.png"))
        if message:
            return _with(brought, *await _in_message(asker, *message.groups()))
        if word.casefold().startswith(("http://", "https://", "<http")):
            return _with_link(brought, word.strip("<>"))
        job = await (self._last(asker) if word.casefold() == LAST else self._own(word, asker))
        images = job.result.images if job.result else ()
        if len(images) != 1:
            raise _not_single(len(images))
        return _with_link(brought, images[0].media_id)

    async def _own(self, word: str, asker: Asker) -> Job:
        try:
            return await self._service.visible(word, asker.person)
        except RequestRejected as error:
            raise RequestRejected(
                _("“{word}” is no picture I can find.", word=word[:40]), field=FIELD, hint=WRITTEN
            ) from error

    async def _last(self, asker: Asker) -> Job:
        for view in await self._service.recent(asker.person.user_key, RECENT):
            if view.job.result and view.job.result.images:
                return view.job
        raise RequestRejected(_("You have no picture here yet."), field=FIELD)


def check_single_message(message: nextcord.Message) -> None:
    """Make sure that it is clear which picture of a message of ours is meant.

    Raises:
        RequestRejected: it shows several in a grid.
    """
    count = sum(action == "pick" for action, __, __ in controls_of(message))
    if count > 1:
        raise _not_single(count)


def preview_in(message: nextcord.Message) -> str:
    """Return the address of the picture that Discord shows under a link; "" where it shows none."""
    for embed in message.embeds:
        if address := embed.image.url or embed.thumbnail.url:
            return str(address)
    return ""


def _not_single(count: int) -> RequestRejected:
    if not count:
        return RequestRejected(_("There is no picture in that message."), field=FIELD)
    return RequestRejected(
        _("That message shows {count} pictures.", count=count),
        hint=_("Press U1, U2 … first, and use the one you get."),
        field=FIELD,
    )


def _with(brought: Brought, *files: tuple[str, str]) -> Brought:
    if len(brought.files) + len(files) > MAX_INPUT_PICTURES:
        raise RequestRejected(_("At most {most} pictures go together.", most=MAX_INPUT_PICTURES), field=FIELD)
    return replace(brought, files=(*brought.files, *files))


def _with_link(brought: Brought, link: str) -> Brought:
    if brought.link:
        raise RequestRejected(
            _("Only one picture can be given by an address or an id; attach the others."), field=FIELD
        )
    return replace(brought, link=link)


def _avatar_of(user: Any) -> str:
    return str(user.display_avatar.replace(size=AVATAR_PX, static_format="png", format="png").url)


async def _user(asker: Asker, user_id: int) -> Any:
    try:
        if asker.guild is not None:
            return asker.guild.get_member(user_id) or await asker.guild.fetch_member(user_id)
        return await asker.client.fetch_user(user_id)
    except (nextcord.HTTPException, *TRANSIENT) as error:
        raise RequestRejected(_("That member is not here."), field=FIELD) from error


async def _in_message(asker: Asker, guild: str, channel: str, message: str) -> list[tuple[str, str]]:
    """Return the pictures of a message that may be read by who asks."""
    shown = await _message(asker, guild, channel, message)
    check_single_message(shown)
    pictures = pictures_in(shown)
    if not pictures:
        raise _not_single(0)
    return [(address_of(picture), picture.filename) for picture in pictures]


async def _message(asker: Asker, guild: str, channel: str, message: str) -> nextcord.Message:
    """Return a message that may be read by who asks."""
    is_here = channel == str(asker.channel_id)
    if not is_here and (asker.guild is None or guild != str(asker.guild.id)):
        raise RequestRejected(NOT_THERE, field=FIELD)
    if not is_here and not await _may_read(asker, int(channel)):
        raise RequestRejected(NOT_THERE, field=FIELD)
    place: Any = asker.client.get_partial_messageable(int(channel))
    try:
        return await whole(asker.client, await place.fetch_message(int(message)))
    except (nextcord.HTTPException, *TRANSIENT) as error:
        raise RequestRejected(NOT_THERE, field=FIELD) from error


async def _may_read(asker: Asker, channel_id: int) -> bool:
    """Return whether who asks may read a channel of this server; private threads are for those within them."""
    assert asker.guild is not None, "looked at before"
    try:
        channel: Any = asker.guild.get_channel_or_thread(channel_id) or await asker.guild.fetch_channel(channel_id)
        if getattr(channel, "type", None) is nextcord.ChannelType.private_thread:
            return False
        held = channel.permissions_for(asker.user)
    except (nextcord.ClientException, nextcord.HTTPException, *TRANSIENT):
        return False
    return bool(held.view_channel and held.read_message_history)
