"""Words from a picture: what it shows, how it was made, and a button that draws them.

Answers to a message's menu are for the asker alone; what is drawn from them is for all, unless the picture was private.
"""

from typing import Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import address_of, read_file
from cogs.cards import CardPicture
from cogs.desk import Desk
from cogs.origin import check_interaction_permissions, of_interaction, person_of
from cogs.pictures import forms
from cogs.pictures.sources import PictureSources, begin, is_private, suggest_engines
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from cogs.slash import slash_option
from cogs.wire.reading import complete, raw_target
from constants import DISCORD_ALT_TEXT_CHARS
from generation.errors import RequestRejected
from generation.order import Order, OrderKind
from generation.prompt_syntax import parse_prompt
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from services.money.tags import PriceTags
from services.pictures.media import MediaService
from services.pictures.pictures import SAYS_NOTHING, drawable, parameters_in
from services.wording.seeing import SeeingService
from texts.text import _
from utils import images
from utils.clock import Clock
from utils.images import BadImage
from utils.text import cut
from utils.threads import run_in_thread

SHOWN_SIDE_PX: Final = 512


class PictureWords(commands.Cog):
    """Reads pictures; draws only what its button asks for."""

    def __init__(
        self,
        *,
        service: GenerationService,
        media: MediaService,
        catalog: Catalog,
        desk: Desk,
        seeing: SeeingService,
        tags: PriceTags,
        clock: Clock,
    ) -> None:
        self._media = media
        self._catalog = catalog
        self._desk = desk
        self._seeing = seeing
        self._tags = tags
        self._clock = clock
        self._sources = PictureSources(service, media)

    @nextcord.slash_command(name="describe", description=_("Find words for a picture"))
    async def describe(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description=_("The picture"), required=True),
        backend: str = SlashOption(description=_("Engine to ask"), required=False),
        private: bool = slash_option("private"),
    ) -> None:
        await self._seeing.check(of_interaction(interaction, self._clock))
        await begin(interaction, private=bool(private))
        data = await read_file(address_of(image))
        await self._show_words(interaction, data, backend=backend, private=bool(private), shows_picture=True)

    @nextcord.message_command(name="Describe")
    async def describe_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        complete(message, raw_target(interaction, message))
        job = await self._sources.job_of(message, person_of(interaction))
        await self._seeing.check(of_interaction(interaction, self._clock))
        await begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_words(interaction, data, backend=None, private=is_private(message, job), shows_picture=False)

    @nextcord.slash_command(name="pnginfo", description=_("Read how a picture was made"))
    async def pnginfo(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description=_("The picture, as the original file"), required=True),
        private: bool = SlashOption(description=_("Only you see it, and what you draw from it"), required=False),
    ) -> None:
        await begin(interaction, private=True)
        await self._show_info(interaction, await read_file(address_of(image)), private=bool(private))

    @nextcord.message_command(name="Picture info")  # no text: it is known by this name
    async def info_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        complete(message, raw_target(interaction, message))
        job = await self._sources.job_of(message, person_of(interaction))
        await begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_info(interaction, data, private=is_private(message, job))

    async def _show_words(
        self, interaction: nextcord.Interaction, data: bytes, *, backend: str | None, private: bool, shows_picture: bool
    ) -> None:
        source = await self._media.take_input(data)
        origin = of_interaction(interaction, self._clock, private=private)
        answer = await self._seeing.describe(source, origin, backend=backend)
        small = await self._media.thumbnail(source.media_id, SHOWN_SIDE_PX) if shows_picture else None
        alt_text = cut(_("The picture described: {text}", text=answer.alt or answer.text), DISCORD_ALT_TEXT_CHARS)
        picture = CardPicture(data=small, filename="described.jpg", alt_text=alt_text) if small else None
        usd = await self._tags.of_draft(forms.words_of(answer), origin)
        await edit_answer(interaction, forms.described_card(answer, picture, private=private, usd=usd))

    async def _show_info(self, interaction: nextcord.Interaction, data: bytes, *, private: bool) -> None:
        try:
            facts = await run_in_thread(images.inspect, data, brought=True)
        except BadImage as error:
            raise RequestRejected(str(error), field="image") from error
        found = await parameters_in(data)
        if found is None:
            raise RequestRejected(
                SAYS_NOTHING,
                hint=_("Previews and most apps drop that: attach the original file, or `/describe` it."),
            )
        origin = of_interaction(interaction, self._clock, private=private)
        usd = await self._tags.of_draft(drawable(found), origin)
        await edit_answer(interaction, forms.info_card(found, facts, private=private, usd=usd))

    def routes(self) -> tuple[Route, ...]:
        return tuple(Route(action=forms.ACTION, argument=draw, handle=self._press) for draw in sorted(forms.DRAWS))

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        await self._draw(interaction, private=press.argument == forms.DRAW_PRIVATE)

    async def _draw(self, interaction: nextcord.Interaction, *, private: bool) -> None:
        """Draw the words of the message above the button; what this place lacks is left out and told."""
        check_interaction_permissions(interaction)
        message = interaction.message
        assert message is not None, "a button stands under a message"
        words = forms.words_in(message)
        if words is None:
            order = Order(kind=OrderKind.NEAREST, files=(address_of(forms.words_file(message)),))
        else:
            parsed = parse_prompt(words)
            order = Order(kind=OrderKind.NEAREST, draft=parsed.draft, notes=parsed.notes, fills=parsed.has_wildcards)
        await self._desk.take_press(interaction, order, private=private or None)

    @describe.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_engines(self._catalog, interaction, typed)
