"""Single pictures of what is shown: U1, U2 ... pick one of a batch, V1, V2 ... vary it, and all as files."""

from dataclasses import replace
from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.attachments import address_of, picture_in
from cogs.cards import Card, shows_several, to_files
from cogs.desk import Desk
from cogs.error_handler import thinking
from cogs.jobs import forms
from cogs.jobs.card import GONE
from cogs.jobs.messages import JobMessages
from cogs.origin import check_interaction_permissions, person_of
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from generation.deeds import Deed
from generation.errors import RequestRejected
from generation.job import Job
from generation.order import Order, OrderKind
from generation.request import Draft, Mode
from lazy import dataclass
from services.drawing.generation import GenerationService
from services.drawing.picking import picture_of
from services.pictures.media import MediaService
from texts.text import _

# how much of the picture is new; 0.75 is what engines draw with where nobody says a strength
STRENGTHS: Final = {"subtle": 0.35, "strong": 0.65}
DEEDS: Final = {"subtle": Deed.VARY_A_LITTLE, "strong": Deed.VARY}
USUAL: Final = "strong"
GONE_FROM_BATCH: Final = _("That picture is no longer kept here, so it cannot be varied.")


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One picture of a job, and how much of it is to be new: `0-subtle` in a button's id."""

    index: int
    strength: str = USUAL

    @classmethod
    def read(cls, argument: str) -> "Variation":
        number, __, strength = argument.partition("-")
        if not number.isdecimal() or strength not in ("", *STRENGTHS):
            raise RequestRejected(_("There is no such picture in this batch."), field="vary")
        return cls(index=int(number), strength=strength or USUAL)


class Picks(commands.Cog):
    """Presses that are about one picture of a message."""

    def __init__(self, *, service: GenerationService, media: MediaService, messages: JobMessages, desk: Desk) -> None:
        self._service = service
        self._media = media
        self._messages = messages
        self._desk = desk

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(action="pick", handle=self._pick),
            Route(action="finish", handle=self._finish),
            Route(action="files", handle=self._files),
            Route(action="vary", handle=self._vary),
        )

    async def _pick(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        index = int(press.argument) if press.argument.isdecimal() else -1
        picture_of(job, index)
        check_interaction_permissions(interaction)
        order = Order(kind=OrderKind.PICK, job_id=job.id, index=index)
        number = index + 1 if len(job.result.images if job.result else ()) > 1 else 0
        await self._desk.take_press(
            interaction, order, private=job.origin.private or None, deed=Deed.PICK, number=number
        )

    async def _finish(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Draw one picture of a draft in full."""
        job = await self._service.visible(press.job_id, person_of(interaction))
        index = int(press.argument) if press.argument.isdecimal() else -1
        picture_of(job, index)
        check_interaction_permissions(interaction)
        order = Order(kind=OrderKind.FINISH, job_id=job.id, index=index)
        await self._desk.take_press(
            interaction, order, private=job.origin.private or None, deed=Deed.FINISH, number=index + 1
        )

    async def _files(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        count = len(job.result.images) if job.result else 0
        await self._hand_over(interaction, job, tuple(range(count)), _("all {count} files", count=count))

    async def _vary(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Draw over a picture with a new seed: little of it is new, or much."""
        job = await self._service.visible(press.job_id, person_of(interaction))
        wanted = Variation.read(press.argument)
        image = picture_of(job, wanted.index)
        check_interaction_permissions(interaction)
        files: tuple[str, ...] = ()
        if await self._media.get(image.media_id) is None:
            files = self._copy_in(interaction.message, job)
        draft = Draft(mode=Mode.IMG2IMG, denoising_strength=STRENGTHS[wanted.strength], batch_size=1)
        order = Order(kind=OrderKind.VARY, draft=draft, media_id=image.media_id, files=files, job_id=job.id)
        order = replace(order, index=wanted.index)
        await self._desk.take_press(
            interaction, order, private=job.origin.private or None, deed=DEEDS[wanted.strength], number=wanted.index + 1
        )

    def _copy_in(self, message: nextcord.Message | None, job: Job) -> tuple[str, ...]:
        """Return the address of the copy that a message holds of a job's only picture.

        Raises:
            RequestRejected: it shows several in a grid, or none.
        """
        attached = picture_in(message) if message is not None and not shows_several(message) else None
        if attached is None or job.result is None or len(job.result.images) != 1:
            raise RequestRejected(GONE_FROM_BATCH, hint=_("U1, U2 … draw it again; the new message can be varied."))
        return (address_of(attached),)

    async def _hand_over(
        self, interaction: nextcord.Interaction, job: Job, indexes: tuple[int, ...], words: str
    ) -> None:
        """Send originals already made; what does not fit one request goes into further messages."""
        async with thinking(interaction, ephemeral=job.origin.private):
            pictures = await self._messages.originals(job, indexes)
            if not pictures:
                raise RequestRejected(GONE)
            batches = forms.pack(pictures)
            await edit_answer(
                interaction,
                Card(content=_("-# {words} · job {short_id}", words=words, short_id=job.short_id), pictures=batches[0]),
            )
            for batch in batches[1:]:
                await interaction.followup.send(files=to_files(batch), ephemeral=job.origin.private)
