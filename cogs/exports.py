"""`/export`: a collection, or what you keep, as ZIP files within Discord's limits. Only you see them."""

from typing import Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card, CardPicture
from cogs.error_handler import thinking
from cogs.jobs.forms import MAX_FILES, pack
from cogs.origin import person_of
from cogs.plain import escape, suggest
from cogs.posting import edit_answer
from cogs.wire.styles import new_message
from constants import DISCORD_FILE_BYTES
from generation.errors import RequestRejected
from generation.person import Person
from services.library.export import Export, export
from services.library.gallery import MAX_PAGE, Collection, GalleryService, Picture, PictureFilter
from services.pictures.media import MediaService
from texts.text import _, _n, joined

MOST_PICTURES: Final = 400
API: Final = _("Take all of them from the studio, or by `POST /api/gallery/archive`.")


class Exports(commands.Cog):
    """Packs pictures for their owner."""

    def __init__(self, *, gallery: GalleryService, media: MediaService) -> None:
        self._gallery = gallery
        self._media = media

    @nextcord.slash_command(name="export", description=_("A collection or your favourites as ZIP files"))
    async def slash_export(
        self,
        interaction: nextcord.Interaction,
        collection: str = SlashOption(
            description=_("One of your collections; without one, what you keep"), required=False, max_length=80
        ),
    ) -> None:
        person = person_of(interaction)
        async with thinking(interaction, ephemeral=True):
            found = await self._collection(person, collection) if collection else None
            name = found.name if found else _("favourites")
            pictures = await self._pictures(person, found)
            packed = await export(self._media, pictures, DISCORD_FILE_BYTES, MAX_FILES)
            head = export_text(name, packed)
            if not packed.files:
                raise RequestRejected(head, field="collection")
            stem = "".join(char if char.isalnum() else "-" for char in name)[:40] or "pictures"
            files = [
                CardPicture(data=data, filename=f"{stem}-{number}.zip", alt_text="")
                for number, data in enumerate(packed.files, 1)
            ]
            first, *others = pack(files)
            await edit_answer(interaction, Card(content=head, pictures=first))
            for batch in others:
                await interaction.followup.send(**new_message(Card(content="", pictures=batch)), ephemeral=True)

    @slash_export.on_autocomplete("collection")
    async def suggest_collection(self, interaction: nextcord.Interaction, typed: str) -> None:
        found = await self._gallery.collections(person_of(interaction))
        await suggest(interaction, [each.name for each in found if typed.casefold() in each.name.casefold()])

    async def _collection(self, person: Person, name: str) -> Collection:
        for each in await self._gallery.collections(person):
            if name.casefold() in (each.name.casefold(), each.id):
                return each
        raise RequestRejected(_("You have no collection “{name}”.", name=name), field="collection")

    async def _pictures(self, person: Person, collection: Collection | None) -> list[Picture]:
        wanted = PictureFilter(collection=collection.id) if collection else PictureFilter(favorites=True)
        found: list[Picture] = []
        cursor: str | None = ""
        while cursor is not None and len(found) < MOST_PICTURES:
            page = await self._gallery.history(person, wanted, limit=MAX_PAGE, cursor=cursor)
            found += page.pictures
            cursor = page.next_cursor
        return found


def export_text(name: str, packed: Export) -> str:
    """Return what is in the files, what is not, and where the rest can be had."""
    count = packed.packed
    lines = [_n("**{name}**: one picture", "**{name}**: {count} pictures", count=count, name=escape(name))]
    if packed.expired:
        lines.append(_n("One has expired.", "{count} have expired.", count=packed.expired))
    if packed.too_large or packed.left:
        most = DISCORD_FILE_BYTES // 2**20
        size = _("Discord takes {files} files of {most} MB.", files=MAX_FILES, most=most)
        rest = packed.too_large + packed.left
        lines.append(_n("One does not fit.", "{count} do not fit.", count=rest))
        lines += [size, API]
    return joined("\n", lines)
