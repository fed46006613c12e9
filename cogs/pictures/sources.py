"""Find the picture that somebody means: the file of a command, or the one a message shows; begin all their commands.

Of a message of ours the original is taken from the media store: what is attached may be a smaller copy or a grid.
"""

import nextcord

from cogs.attachments import address_of, picture_in, read_file
from cogs.cards import controls_of, shows_several
from cogs.origin import check_interaction_permissions, person_of
from cogs.plain import suggest
from generation.errors import RequestRejected
from generation.job import Job
from generation.order import Order, OrderKind
from generation.person import Person
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.engines.catalog import ENGINES, Catalog
from services.pictures.media import MediaService
from texts.text import _


class PictureSources:
    """Finds pictures and reads their files, as they are."""

    def __init__(self, service: GenerationService, media: MediaService) -> None:
        self._service = service
        self._media = media

    async def job_of(self, message: nextcord.Message, person: Person) -> Job | None:
        """Return the job a message of ours shows.

        None for any other message, for jobs nobody knows any more, and for those that `person` may not see: the message
        may be another bot's, with an id of ours in it.
        """
        job_id = next((job_id for __, job_id, __ in controls_of(message)), "-")
        if job_id == "-":
            return None
        try:
            return await self._service.visible(job_id, person)
        except RequestRejected:
            return None

    def check_single(self, job: Job | None) -> None:
        """Make sure that it is clear which picture of a message is meant.

        Raises:
            RequestRejected: it shows several in a grid.
        """
        count = len(job.result.images) if job and job.result else 0
        if count > 1:
            raise RequestRejected(
                _("That message shows {count} pictures.", count=count),
                hint=_("Press U1, U2 … first, and use the one you get."),
            )

    async def of_message(self, message: nextcord.Message, job: Job | None) -> bytes:
        """Return the picture a message shows.

        Raises:
            RequestRejected: it shows none, several, or one that is not finished.
        """
        order = self.order_for(message, job)
        media = await self._media.get(order.media_id) if order.media_id else None
        if media is not None:
            return media.data
        if not order.files:
            raise RequestRejected(_("There is no picture in that message."), field="image")
        return await read_file(order.files[0])

    def order_for(self, message: nextcord.Message, job: Job | None, changes: Draft | None = None) -> Order:
        """Return where the picture of a message is, and what is made of it.

        Raises:
            RequestRejected: it shows none, several, or one that is not finished.
        """
        if job is not None and not job.is_terminal:  # what it shows is a preview
            raise RequestRejected(_("That picture is still being made. Wait until it is there."), field="image")
        self.check_single(job)
        images = job.result.images if job and job.result else ()
        attached = None if shows_several(message) else picture_in(message)
        if not images and attached is None:
            raise RequestRejected(_("There is no picture in that message."), field="image")
        return Order(
            kind=OrderKind.CHANGE,
            draft=changes or Draft(),
            media_id=images[0].media_id if images else "",
            files=(address_of(attached),) if attached else (),
            job_id=job.id if job else "",
        )


async def begin(interaction: nextcord.Interaction, *, private: bool) -> None:
    """Answer at once with "thinking…": even reading a picture may take longer than Discord waits.

    Raises:
        NotAllowed: pictures cannot be posted here.
    """
    check_interaction_permissions(interaction)
    await interaction.response.defer(ephemeral=private)


def is_private(message: nextcord.Message, job: Job | None) -> bool:
    """Return whether only one person sees that message, so that what is made from it stays with them."""
    return bool(message.flags.ephemeral) or (job is not None and job.origin.private)


async def suggest_engines(catalog: Catalog, interaction: nextcord.Interaction, typed: str) -> None:
    """Answer an autocomplete with the engines of this person."""
    pairs = catalog.suggest(ENGINES, typed, person_of(interaction))
    await suggest(interaction, dict(pairs))
