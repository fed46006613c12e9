"""`/gallery`: your own pictures to look through, search, open, keep and go on from. Only you see it.

A page's buttons and menu carry what it shows (`e1:gallery:cursor:filters`), so they work after a restart.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Button, Card, CardPicture, Choice, Menu, Row, check_stands_in, make_id
from cogs.decorators import prefix_command
from cogs.error_handler import thinking
from cogs.help import clickable
from cogs.jobs.messages import JobMessages
from cogs.origin import person_of, person_with_rooms
from cogs.plain import escape, label, suggest
from cogs.posting import edit_answer, reply_to
from cogs.presses import Press, Route
from cogs.shelves import MINE, SERVER, Shelf, read_day
from cogs.wire.styles import new_message
from generation.errors import RequestRejected
from generation.person import Person
from services.drawing.generation import GenerationService
from services.library.gallery import GalleryService, Page, Picture
from services.pictures.media import MediaService
from texts.text import _, _n
from utils.text import cut

ACTION: Final = "gallery"
OPEN: Final = "gallery-open"
STAR: Final = "gallery-star"
KEEP: Final = "keep"
KEPT: Final = _("⭐ Kept: it stays until you let it go. `/gallery favourites:True` shows all of them.")
LET_GO: Final = _("☆ No longer kept: it goes when its time is over.")
NEWEST: Final = "-"
PAGE: Final = 10  # files that a message may have
SIDE_PX: Final = 256
MAX_SEARCH_CHARS: Final = 40
MAX_ID_CHARS: Final = 100
LINE_CHARS: Final = 100


class Gallery(commands.Cog):
    """Pages of thumbnails, a picture with all its buttons, and the star that keeps it."""

    def __init__(
        self,
        *,
        gallery: GalleryService,
        media: MediaService,
        service: GenerationService,
        messages: JobMessages,
    ) -> None:
        self._gallery = gallery
        self._media = media
        self._service = service
        self._messages = messages

    @nextcord.slash_command(name="gallery", description=_("Pictures: look through, search, open, keep"))
    async def slash_gallery(
        self,
        interaction: nextcord.Interaction,
        search: str = SlashOption(description=_("Words of the prompt"), required=False, max_length=MAX_SEARCH_CHARS),
        favourites: bool = SlashOption(description=_("Only those you keep"), required=False),
        model: str = SlashOption(description=_("Only those of one model"), required=False, max_length=MAX_SEARCH_CHARS),
        collection: str = SlashOption(description=_("Only those of one collection"), required=False, max_length=80),
        server: bool = SlashOption(description=_("What was made in this server, where you may read"), required=False),
        user: nextcord.Member = SlashOption(description=_("What somebody made in this server"), required=False),
        since: str = SlashOption(description=_("From this day on, like 2026-11-28"), required=False, max_length=10),
        until: str = SlashOption(description=_("Until this day"), required=False, max_length=10),
    ) -> None:
        shelf = Shelf(
            search=search or "",
            favorites=bool(favourites),
            model=model or "",
            since=read_day(since or "", "since"),
            until=read_day(until or "", "until"),
            whose=_whose(user, is_server=bool(server)),
        )
        await self._show(interaction, shelf, collection or "")

    @nextcord.slash_command(name="history", description=_("What you made, newest first"))
    async def slash_history(self, interaction: nextcord.Interaction) -> None:
        await self._show(interaction, Shelf(), "")

    async def _show(self, interaction: nextcord.Interaction, shelf: Shelf, collection: str) -> None:
        person = person_with_rooms(interaction)
        if shelf.whose and interaction.guild is None:
            raise RequestRejected(_("There is no server here, only you."), field="server")
        async with thinking(interaction, ephemeral=True):
            if collection:
                shelf = replace(shelf, collection=await self._collection(person, collection))
            if len(make_id(ACTION, "9" * 12, shelf.text)) > MAX_ID_CHARS:
                raise RequestRejected(_("Please narrow it by fewer or shorter words."), field="search")
            await edit_answer(interaction, await self._page(person, shelf, ""))

    @slash_gallery.on_autocomplete("model")
    async def suggest_model(self, interaction: nextcord.Interaction, typed: str) -> None:
        models = (await self._gallery.facets(person_of(interaction))).models
        await suggest(interaction, [name for name, __ in models if typed.casefold() in name.casefold()])

    @slash_gallery.on_autocomplete("collection")
    async def suggest_collection(self, interaction: nextcord.Interaction, typed: str) -> None:
        found = await self._gallery.collections(person_of(interaction))
        await suggest(interaction, [each.name for each in found if typed.casefold() in each.name.casefold()])

    @prefix_command(name="gallery", aliases=["history"])
    async def gallery_by_prefix(self, ctx: commands.Context[Any]) -> None:
        """`!gallery`, `!history`: where they are, since everybody would see the answer."""
        mention = clickable(ctx.bot, ctx.guild.id if ctx.guild else None)
        name = "history" if (ctx.invoked_with or "").casefold() == "history" else "gallery"
        await reply_to(ctx, content=_("Press on {command}: only you see it.", command=mention(name)))

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(action=ACTION, handle=self._turn),
            Route(action=OPEN, handle=self._open),
            Route(action=STAR, handle=self._star),
            Route(action=KEEP, handle=self._keep),
        )

    async def _turn(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, ACTION)
        await interaction.response.defer()
        cursor = "" if press.job_id == NEWEST else press.job_id
        card = await self._page(person_with_rooms(interaction), Shelf.read(press.argument), cursor)
        await edit_answer(interaction, card, keeps_files=False)

    async def _open(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_with_rooms(interaction)
        async with thinking(interaction, ephemeral=True):
            picture = await self._gallery.picture(person, press.values[0])
            job = await self._service.visible(picture.job_id, person)
            images = job.result.images if job.result else ()
            index = next((at for at, image in enumerate(images) if image.media_id == picture.media_id), 0)
            files = await self._messages.originals(job, (index,))
            if job.result:  # its own card: a picture alone, not the grid it came in
                job = replace(job, result=replace(job.result, images=images[index : index + 1]))
            number = index + 1 if len(images) > 1 else 0
            card = self._messages.card(self._service.peek(job), tuple(files), number=number)
            await edit_answer(interaction, replace(card, rows=_with_star(card.rows, picture)))

    async def _star(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_with_rooms(interaction)
        if press.argument == "off":
            await self._gallery.unstar(person, press.job_id)
            text = LET_GO
        else:
            await self._gallery.star(person, press.job_id)
            text = KEPT
        await interaction.response.send_message(**new_message(Card(content=text)), ephemeral=True)

    async def _keep(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Keep what a message shows, all of it; a press more lets it go."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        media_ids = [image.media_id for image in job.result.images] if job.result else []
        if job.user_key != person.user_key:
            raise RequestRejected(
                _("Only the person who asked for this picture can keep it."),
                hint=_("Press U1, U2 … or 🎲: what you get is yours."),
            )
        is_kept = len(await self._gallery.starred(person, media_ids)) == len(set(media_ids))
        for media_id in media_ids:
            await (self._gallery.unstar if is_kept else self._gallery.star)(person, media_id)
        text = LET_GO if is_kept else KEPT
        await interaction.response.send_message(**new_message(Card(content=text)), ephemeral=True)

    async def _collection(self, person: Person, name: str) -> str:
        found = await self._gallery.collections(person)
        for each in found:
            if name.casefold() in (each.name.casefold(), each.id):
                return each.id
        known = ", ".join(each.name for each in found)
        raise RequestRejected(
            _("You have no collection “{name}”.", name=name),
            field="collection",
            hint=_("Available: {known}.", known=known)
            if known
            else _("*More…*, *Add to a collection* under a picture makes one."),
        )

    async def _page(self, person: Person, shelf: Shelf, cursor: str) -> Card:
        page = await self._gallery.history(person, shelf.wanted, limit=PAGE, cursor=cursor)
        total = (await self._gallery.count(person, shelf.wanted)).number
        thumbnails = []
        for number, picture in enumerate(page.pictures, 1):
            data = await self._media.thumbnail(picture.media_id, SIDE_PX)
            if data is not None:
                thumbnails.append(_thumbnail(number, picture, data))
        here = {each.filename.partition(".")[0] for each in thumbnails}
        return Card(
            content=page_text(page.pictures, total, here, is_mine=not shelf.whose),
            rows=_rows(page, shelf, cursor),
            pictures=tuple(thumbnails),
        )


def _whose(user: Any, *, is_server: bool) -> str:
    if user:
        return str(user.id)
    return SERVER if is_server else MINE


def page_text(pictures: Sequence[Picture], total: int, here: set[str], *, is_mine: bool = True) -> str:
    """List the pictures of a page; `here` holds the numbers of those whose file is still there."""
    if not pictures:
        return _("Nothing fits.") if total else _("No picture here yet. `/generate` makes one.")
    lines = [_n("**Your picture**", "**Your {count} pictures**", count=total)]
    if not is_mine:
        lines = [_n("**One picture**", "**{count} pictures**", count=total)]
    for number, picture in enumerate(pictures, 1):
        words = escape(cut(picture.prompt, LINE_CHARS)) or _("a picture given without words")
        gone = "" if str(number) in here else _(" · no longer kept")
        star = " ⭐" if picture.is_favorite else ""
        owner = "" if is_mine else f" · <@{picture.user_key.partition(':')[2]}>"
        lines.append(f"{number}\\. {words}{owner} · <t:{int(picture.created_at.timestamp())}:R>{star}{gone}")
    return "\n".join(lines)


def _thumbnail(number: int, picture: Picture, data: bytes) -> CardPicture:
    words = label(picture.prompt, LINE_CHARS) or _("a picture given without words")
    return CardPicture(data=data, filename=f"{number}.jpg", alt_text=f"{number}: {words}")


def _rows(page: Page, shelf: Shelf, cursor: str) -> tuple[Row, ...]:
    rows: list[Row] = []
    if page.pictures:
        choices = tuple(
            Choice(label=label(f"{number}. {picture.prompt or picture.mode}"), value=picture.id)
            for number, picture in enumerate(page.pictures, 1)
        )
        rows.append(Menu(action=OPEN, job_id=NEWEST, placeholder=_("Open one…"), choices=choices))
    turns = []
    if cursor:
        turns.append(Button(action=ACTION, job_id=NEWEST, label=_("Newest"), argument=shelf.text))
    if page.next_cursor:
        turns.append(Button(action=ACTION, job_id=page.next_cursor, label=_("Older"), argument=shelf.text))
    return (*rows, tuple(turns)) if turns else tuple(rows)


def _with_star(rows: tuple[Row, ...], picture: Picture) -> tuple[Row, ...]:
    star = (
        Button(action=STAR, job_id=picture.id, label=_("Let go"), emoji="⭐", argument="off")
        if picture.is_favorite
        else Button(action=STAR, job_id=picture.id, label=_("Keep"), emoji="⭐")
    )
    return tuple(
        row if isinstance(row, Menu) else tuple(star if each.action == KEEP else each for each in row) for row in rows
    )
