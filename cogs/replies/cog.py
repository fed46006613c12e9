"""A reply in plain words to a picture changes that picture: "make it night", "2x", "again", "seed".

The words are read by rules (`generation.wishes`); talk is left alone. How they were read stands under the new picture,
with a button for another way. Everything a press needs is in its id and in the message that asked, so that it works
after a restart.
"""

from contextlib import suppress
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.attachments import address_of, picture_in, pictures_in, unused_in
from cogs.cards import Card, check_stands_in, to_view
from cogs.desk import Desk
from cogs.error_handler import thinking
from cogs.jobs.info import Keeping, info_card, seeds_of
from cogs.jobs.more import is_of_reply
from cogs.origin import (
    VIA_REPLY,
    check_interaction_permissions,
    check_message_permissions,
    of_interaction,
    of_message,
    person_of,
    person_of_message,
)
from cogs.pictures.sources import PictureSources
from cogs.posting import TRANSIENT, reply_to
from cogs.presses import Press, Route
from cogs.replies import text as texts
from cogs.wire.reading import whole
from cogs.wire.styles import edit_of, new_message
from generation.errors import RequestRejected
from generation.job import Job
from generation.order import Order, OrderKind
from generation.policy import check_change
from generation.wishes.drafts import Way, way_of
from generation.wishes.reading import as_operation, is_talk, read_reply
from generation.wishes.wish import Operation, Wish
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from services.pictures.media import MediaService
from services.wording.replying import ReplyReader
from texts.text import _
from utils.clock import Clock

# the picture itself is not touched, so that it does not matter which one is meant
ABOUT_ALL: Final = frozenset({Operation.AGAIN, Operation.RESIZE, Operation.INFO, Operation.SEED})
WITH_WORDS: Final = frozenset({Operation.EDIT, Operation.INPAINT, Operation.RECOLOUR, Operation.BACKGROUND})


class Replies(commands.Cog):
    """Reads replies and answers them; the bot asks it before it looks for a command."""

    def __init__(
        self,
        *,
        service: GenerationService,
        media: MediaService,
        catalog: Catalog,
        desk: Desk,
        reader: ReplyReader,
        clock: Clock,
    ) -> None:
        self._service = service
        self._reader = reader
        self._clock = clock
        self._catalog = catalog
        self._desk = desk
        self._sources = PictureSources(service, media)

    # -- messages ------------------------------------------------------------------------------------------------

    async def take(self, ctx: commands.Context[Any]) -> bool:
        """Carry out a reply to a picture of ours; False where it is none, or asks for nothing here.

        Raises:
            GenerationError: it cannot be carried out, in words.
        """
        replied = self._replied_to(ctx)
        if replied is None:
            return False
        text = _words_of(ctx)
        wish = read_reply(text)
        if wish is None and not (self._reader.wants(text) and not ctx.prefix):
            return is_talk(text) and bool(text)
        replied = await whole(ctx.bot, replied)
        job = await self._sources.job_of(replied, person_of_message(ctx))
        if job is None:
            return False
        wish = wish or await self._reader.read(text, of_message(ctx))
        if wish is None:
            return False
        await self._answer(ctx, replied, job, wish)
        return True

    def means_something(self, ctx: commands.Context[Any]) -> bool:
        """Return whether a message is a reply that was read as a request."""
        return self._replied_to(ctx) is not None and read_reply(_words_of(ctx)) is not None

    def _replied_to(self, ctx: commands.Context[Any]) -> nextcord.Message | None:
        reference = ctx.message.reference
        replied = reference.resolved if reference else None
        is_ours = isinstance(replied, nextcord.Message) and replied.author == ctx.bot.user
        return replied if is_ours and isinstance(replied, nextcord.Message) else None

    async def _answer(self, ctx: commands.Context[Any], replied: nextcord.Message, job: Job, wish: Wish) -> None:
        if wish.operation is Operation.SEED:
            await reply_to(ctx, content=_("Seed\n```\n{seeds}\n```", seeds=seeds_of(job)))
            return
        if wish.operation is Operation.INFO:
            await reply_to(ctx, **new_message(info_card(job, Keeping())))
            return
        await check_message_permissions(ctx)
        index = self._index(job, wish)
        if index is None:
            count = len(job.result.images) if job.result else 0
            await reply_to(ctx, **new_message(texts.which_card(job.id, count, str(ctx.message.id))))
            return
        order = await self._order(wish, job, index, replied, ctx.message)
        if order is None:
            modes = self._catalog.modes(person_of_message(ctx))
            card = texts.cannot_card(wish, job.id, f"{index}-{ctx.message.id}", modes)
            await reply_to(ctx, **new_message(card))
            return
        private, deed = job.origin.private or None, texts.deed_of(wish.operation, order.draft)
        await self._desk.take_message(ctx, order, private=private, deed=deed, via=f"{VIA_REPLY}-{index}")

    def _index(self, job: Job, wish: Wish) -> int | None:
        """Return which of a job's pictures is meant; None where that has to be asked.

        Raises:
            RequestRejected: it has not so many.
        """
        count = len(job.result.images) if job.result else 0
        if count <= 1 or wish.operation in ABOUT_ALL:
            return 0
        if wish.pick is not None and wish.pick >= count:
            raise RequestRejected(_("That message shows {count} pictures.", count=count))
        return wish.pick

    # -- orders --------------------------------------------------------------------------------------------------

    async def _order(
        self, wish: Wish, job: Job, index: int, shown: nextcord.Message | None, asking: nextcord.Message | None
    ) -> Order | None:
        """Return what is to be made of a picture; None where no engine here can do it.

        Raises:
            RequestRejected: there is no such picture, or it is still being made.
        """
        attached = pictures_in(asking) if asking else []
        has_mask = wish.operation is Operation.INPAINT and bool(attached)
        images = job.result.images if job.result else ()
        seed = images[index].seed if index < len(images) else None
        drawn = await self._service.drawn(job)
        way = way_of(wish, drawn.request, seed=seed, has_mask=has_mask)
        if way.draft is None or not self._can(way, job):
            return None
        used = attached[:1] if has_mask else []
        notes = [texts.read_as(wish.operation), *(unused_in(asking, used) if asking else ())]
        if wish.operation is Operation.INPAINT and not has_mask:
            notes.append(texts.WITHOUT_MASK)
        if not way.takes_picture:
            return Order(kind=OrderKind.AGAIN, draft=way.draft, notes=tuple(notes), job_id=job.id)
        if not job.is_terminal:  # what it shows is a preview
            raise RequestRejected(_("That picture is still being made. Wait until it is there."), field="image")
        copy = picture_in(shown) if shown else None
        if index >= len(images) and copy is None:
            raise RequestRejected(_("There is no picture in that message."), field="image")
        is_copy = copy is not None and len(images) <= 1
        files = (address_of(copy),) if copy is not None and (is_copy or has_mask) else ()
        return Order(
            kind=_kind(wish, has_mask=has_mask),
            draft=way.draft,
            notes=tuple(notes),
            media_id=images[index].media_id if index < len(images) else "",
            files=(*files, *(address_of(mask) for mask in used)),
            job_id=job.id,
            index=index,
        )

    def _can(self, way: Way, job: Job) -> bool:
        return way.mode is None or way.mode in self._catalog.modes(job.origin.person)

    # -- presses -------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(action=texts.WISH, handle=self._chosen),
            Route(action=texts.WISH_PICK, handle=self._picked),
            Route(action=texts.MEANT, handle=self._meant),
            Route(action=texts.UNDO, handle=self._undo),
        )

    async def _picked(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Carry out a reply to a grid, now that it is known which picture it is about."""
        job = await self._service.visible(press.job_id, person_of(interaction))
        index, asking = await self._read_argument(interaction, press)
        wish = await self._read(interaction, asking)
        if wish is None:
            raise RequestRejected(texts.UNREADABLE)
        await self._carry_out(interaction, job, index, asking, wish)

    async def _chosen(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Carry out another operation than the one that was read."""
        job = await self._service.visible(press.job_id, person_of(interaction))
        if not press.values or press.values[0] not in texts.NAMES:
            raise RequestRejected(_("There is no such choice."), field="wish")
        operation = Operation(press.values[0])
        index, asking = await self._read_argument(interaction, press)
        if asking is None and operation in WITH_WORDS:
            raise RequestRejected(texts.UNREADABLE)
        wish = as_operation(asking.content if asking else "", operation)
        await self._carry_out(interaction, job, index, asking, wish)

    async def _carry_out(
        self, interaction: nextcord.Interaction, job: Job, index: int, asking: nextcord.Message | None, wish: Wish
    ) -> None:
        check_interaction_permissions(interaction)
        order = await self._order(wish, job, index, None, asking)
        if order is None:
            modes = self._catalog.modes(person_of(interaction))
            card = texts.cannot_card(wish, job.id, f"{index}-{asking.id if asking else 0}", modes)
            await interaction.response.send_message(**new_message(card), ephemeral=True)
            return
        asked_in = str(asking.id) if asking else ""
        via = f"{VIA_REPLY}-{index}" if asking else ""
        await self._desk.take_press(
            interaction,
            order,
            private=job.origin.private or None,
            deed=texts.deed_of(wish.operation, order.draft),
            asked_in=asked_in,
            via=via,
        )

    async def _meant(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Show how the reply was read, and what else can be done with the picture before."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        if not is_of_reply(job) or not job.origin.parent_job_id:
            raise RequestRejected(_("This picture was not asked for by a reply."))
        async with thinking(interaction, ephemeral=True):
            parent = await self._service.visible(job.origin.parent_job_id, person)
            asking = await self._message(interaction, job.origin.source_message_id or "")
            wish = await self._read(interaction, asking)
            index = job.origin.via.partition("-")[2] or "0"
            argument = f"{index}-{job.origin.source_message_id or 0}"
            card = texts.meant_card(
                asking.content if asking else "",
                wish.operation if wish and wish.operation in texts.NAMES else None,
                parent.id,
                argument,
                job.id,
                self._catalog.modes(person),
            )
            await interaction.followup.edit_message("@original", **edit_of(card))  # type: ignore[arg-type]

    async def _undo(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Take back what a reply asked for: its picture and the message of it."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        check_change(person, job, "delete")
        check_stands_in(interaction.message, texts.UNDO)
        if not is_of_reply(job):
            raise RequestRejected(_("This picture was not asked for by a reply."))
        await self._service.delete(job.id, person)
        origin = job.origin
        if origin.channel_id and origin.message_id:
            # as text: only such a channel lets its messages be named by their ids alone
            place = int(origin.channel_id), nextcord.ChannelType.text
            channel: Any = interaction.client.get_partial_messageable(place[0], type=place[1])
            with suppress(nextcord.HTTPException, *TRANSIENT):  # it may be gone already, or only they see it
                await channel.get_partial_message(int(origin.message_id)).delete()
        card = Card(content=_("Taken back."))
        await interaction.response.edit_message(content=card.content, view=to_view(card.rows))

    async def _read(self, interaction: nextcord.Interaction, asking: nextcord.Message | None) -> Wish | None:
        """Read the message that asked once more, as it was read before."""
        if asking is None:
            return None
        origin = of_interaction(interaction, self._clock)
        return read_reply(asking.content) or await self._reader.read(asking.content, origin)

    async def _read_argument(
        self, interaction: nextcord.Interaction, press: Press
    ) -> tuple[int, nextcord.Message | None]:
        number, __, source_id = press.argument.partition("-")
        index = int(number) if number.isdecimal() else 0
        return index, await self._message(interaction, source_id)

    async def _message(self, interaction: nextcord.Interaction, message_id: str) -> nextcord.Message | None:
        """Fetch the message that asked; None where it is gone or may not be read."""
        if not message_id.isdecimal() or message_id == "0" or interaction.channel_id is None:
            return None
        channel: Any = interaction.client.get_partial_messageable(interaction.channel_id)
        try:
            message: nextcord.Message = await channel.fetch_message(int(message_id))
        except (nextcord.HTTPException, *TRANSIENT):
            return None
        return message if message.content else None


def _kind(wish: Wish, *, has_mask: bool) -> OrderKind:
    if has_mask:
        return OrderKind.INPAINT
    return OrderKind.VARY if wish.operation is Operation.VARY else OrderKind.CHANGE


def _words_of(ctx: commands.Context[Any]) -> str:
    """Return a message without the bot's name in front of it."""
    user = ctx.bot.user
    words = ctx.message.content
    for name in (f"<@{user.id}>", f"<@!{user.id}>") if user else ():
        words = words.replace(name, " ")
    return words.strip()
