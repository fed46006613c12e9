"""Words from a picture: what it shows, how it was made, and a button that draws them.

Answers to a message's menu are for the asker alone; what is drawn from them is for all, unless the picture was private.
"""

from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs import picture_forms as forms
from cogs.cards import Picture, parse_id
from cogs.error_handler import thinking, told
from cogs.job_messages import JobMessages
from cogs.origin import actor_of, check_interaction_permissions, of_interaction
from cogs.picture_sources import PictureSources, begin, is_private, suggest_engines, who
from cogs.posting import edit_answer
from constants import DISCORD_ALT_TEXT_CHARS
from generation.errors import CapabilityError, RequestRejected
from generation.job import JobView, Origin
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from services.catalog import Catalog
from services.describing import DescribingService
from services.generation import GenerationService
from services.media import MediaService
from services.pictures import parameters_in
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
        messages: JobMessages,
        describing: DescribingService,
        clock: Clock,
    ) -> None:
        self._service = service
        self._media = media
        self._catalog = catalog
        self._messages = messages
        self._describing = describing
        self._clock = clock
        self._sources = PictureSources(service, media)

    @nextcord.slash_command(name="describe", description="Find words for a picture")
    async def describe(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture", required=True),
        backend: str = SlashOption(description="Engine to ask", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        await begin(interaction, private=bool(private))
        data = await self._sources.of_attachment(image)
        await self._show_words(interaction, data, backend=backend, private=bool(private), shows_picture=True)

    @nextcord.message_command(name="Describe")
    async def describe_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        job = await self._sources.job_of(message, actor_of(interaction))
        await begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_words(interaction, data, backend=None, private=is_private(message, job), shows_picture=False)

    @nextcord.slash_command(name="pnginfo", description="Read how a picture was made")
    async def pnginfo(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture, as the original file", required=True),
        private: bool = SlashOption(description="What you draw from it is for you alone, too", required=False),
    ) -> None:
        await begin(interaction, private=True)
        await self._show_info(interaction, await self._sources.of_attachment(image), private=bool(private))

    @nextcord.message_command(name="Picture info")
    async def info_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        job = await self._sources.job_of(message, actor_of(interaction))
        await begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_info(interaction, data, private=is_private(message, job))

    async def _show_words(
        self, interaction: nextcord.Interaction, data: bytes, *, backend: str | None, private: bool, shows_picture: bool
    ) -> None:
        source = await self._media.take_input(data)
        user_id, guild_id = who(interaction)
        said = await self._describing.describe(source, user_id=user_id, guild_id=guild_id, backend=backend)
        small = await self._media.thumbnail(source.media_id, SHOWN_SIDE_PX) if shows_picture else None
        alt_text = cut(f"The picture described: {said.text}", DISCORD_ALT_TEXT_CHARS)
        picture = Picture(data=small, filename="described.jpg", alt_text=alt_text) if small else None
        await edit_answer(interaction, forms.described_card(said.text, said.engine, picture, private=private))

    async def _show_info(self, interaction: nextcord.Interaction, data: bytes, *, private: bool) -> None:
        try:
            facts = await run_in_thread(images.inspect, data)
        except BadImage as error:
            raise RequestRejected(str(error), field="image") from error
        found = await parameters_in(data)
        if found is None:
            raise RequestRejected(
                forms.NO_PARAMETERS,
                hint="Previews and most apps drop that: attach the original file, or `/describe` it.",
            )
        await edit_answer(interaction, forms.info_card(found, facts, private=private))

    @commands.Cog.listener("on_interaction")
    async def on_press(self, interaction: nextcord.Interaction) -> None:
        if interaction.type is not nextcord.InteractionType.component:
            return
        data: Any = interaction.data
        parsed = parse_id(data["custom_id"])
        if parsed is not None and parsed[0] == forms.ACTION and parsed[2] in forms.DRAWS:
            async with told(interaction):
                await self._draw(interaction, private=parsed[2] == forms.DRAW_PRIVATE)

    async def _draw(self, interaction: nextcord.Interaction, *, private: bool) -> None:
        """Draw the words of the message above the button; what this place lacks is left out and told."""
        check_interaction_permissions(interaction)
        message = interaction.message
        assert message is not None, "a button stands under a message"
        async with thinking(interaction, ephemeral=private):
            words = forms.words_in(message)
            if words is None:
                words = (await self._sources.of_attachment(forms.words_file(message))).decode()
            parsed = parse_prompt(words)
            origin = of_interaction(interaction, self._clock, private=private)
            view = await self._submit_nearest(parsed.draft, origin, parsed.notes)
            await self._messages.open(view)

    async def _submit_nearest(self, draft: Draft, origin: Origin, notes: tuple[str, ...]) -> JobView:
        """Submit what was drawn elsewhere: without the names that no engine here has, as it is said."""
        try:
            return await self._service.submit(draft, origin, notes=notes)
        except CapabilityError:
            draft, missing = self._catalog.without_unknown(draft, origin.user_id, origin.guild_id)
            notes = (*notes, *missing)
            if not missing and not draft.model and not draft.loras:
                raise
        try:
            return await self._service.submit(draft, origin, notes=notes)
        except CapabilityError:  # no engine has all of them together
            if not draft.model and not draft.loras:
                raise
        if draft.model:
            notes = (*notes, f"model {draft.model} is not here")
        notes = (*notes, *(f"LoRA {lora.name} left out" for lora in draft.loras))
        return await self._service.submit(replace(draft, model=None, loras=()), origin, notes=notes)

    @describe.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_engines(self._catalog, interaction, typed)
