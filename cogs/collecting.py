"""*Add to a collection* in the menu under a picture: a form with your collections, and a name for a new one."""

from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Choice, make_id
from cogs.origin import person_of
from cogs.plain import escape
from cogs.presses import Press, Route
from cogs.wire.fields import FormField, SelectField, TextField
from cogs.wire.forms import Form, filled_in, open_form
from generation.errors import RequestRejected
from generation.job import Job
from generation.person import Person
from services.drawing.generation import GenerationService
from services.library.gallery import MAX_NAME_CHARS, Collection, GalleryService
from texts.text import _, _n

ACTION, SENT = "collect", "collected"
MOST_LISTED: Final = 25  # Discord's, of a menu


class Collecting(commands.Cog):
    """Puts pictures into collections; the gallery keeps what is in one."""

    def __init__(self, *, gallery: GalleryService, service: GenerationService) -> None:
        self._gallery = gallery
        self._service = service

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(action=ACTION, handle=self._open),
            Route(action=SENT, handle=self._collected, takes_forms=True),
        )

    async def _open(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_of(interaction)
        await self._pictures(person, press)
        collections = await self._gallery.collections(person)
        await open_form(interaction, collection_form(press.job_id, press.argument, collections))

    async def _collected(self, interaction: nextcord.Interaction, press: Press) -> None:
        person, filled = person_of(interaction), filled_in(interaction)
        pictures = await self._pictures(person, press)
        name, chosen = filled.text("name").strip(), filled.choice("collection")
        if not name and not chosen:
            raise RequestRejected(_("Choose a collection, or write a name for a new one."), field="collection")
        collection = await self._named(person, name) if name else await self._gallery.collection(person, chosen)
        collection = await self._gallery.add_pictures(person, collection.id, pictures)
        await interaction.response.send_message(collected_text(collection), ephemeral=True)

    async def _named(self, person: Person, name: str) -> Collection:
        """Return the collection of this name, a new one if there is none."""
        for each in await self._gallery.collections(person):
            if each.name.casefold() == name.casefold():
                return each
        return await self._gallery.create_collection(person, name)

    async def _pictures(self, person: Person, press: Press) -> list[str]:
        """Return the pictures of a job, or the one that the press names, if they are this person's own.

        Raises:
            RequestRejected: they are somebody else's, or there are none.
        """
        job = await self._service.visible(press.job_id, person)
        images = [image.media_id for image in job.result.images] if job.result else []
        if press.argument.isdecimal():
            images = images[int(press.argument) :][:1]
        _check_own(person, job)
        if not images:
            raise RequestRejected(_("There is no picture to put into a collection."), field="picture")
        return images


def _check_own(person: Person, job: Job) -> None:
    if job.user_key != person.user_key:
        raise RequestRejected(
            _("Only the person who asked for this picture can put it into a collection."),
            hint=_("Press U1, U2 … or 🎲: what you get is yours."),
        )


def collection_form(job_id: str, argument: str, collections: list[Collection]) -> Form:
    """Offer somebody's collections, and a new one."""
    choices = tuple(
        Choice(
            label=each.name,
            value=each.id,
            description=_n("{count} picture", "{count} pictures", count=each.pictures),
        )
        for each in collections[:MOST_LISTED]
    )
    fields: list[FormField] = []
    if choices:
        fields.append(
            SelectField(
                name="collection",
                label=_("Collection"),
                choices=choices,
                placeholder=_("Choose one…"),
                is_required=False,
            )
        )
    fields.append(
        TextField(
            name="name",
            label=_("Or a new one") if choices else _("Name of a new collection"),
            limit=MAX_NAME_CHARS,
            is_required=not choices,
        )
    )
    return Form(title=_("Add to a collection"), custom_id=make_id(SENT, job_id, argument), fields=tuple(fields))


def collected_text(collection: Collection) -> str:
    """Return where a picture is now, and how to see all of it."""
    return _(
        "📚 In **{name}**, with {pictures} now. `/gallery` with `collection` shows them, `/export` packs them as ZIP.",
        name=escape(collection.name),
        pictures=_n("{count} picture", "{count} pictures", count=collection.pictures),
    )
