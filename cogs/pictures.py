"""What people do with a picture they have: enlarge it, paint over a part, draw on beyond its edges, ask what it is.

Slash commands take a file; "Apps" in a message's menu takes the picture of that message. Every answer begins at once
with "thinking…", since even reading a picture may take longer than Discord waits.
"""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs import picture_forms as forms
from cogs.cards import Picture, parse_id
from cogs.decorators import prefix_command
from cogs.error_handler import thinking, told
from cogs.job_messages import JobMessages
from cogs.origin import check_interaction_permissions, of_interaction
from cogs.picture_sources import PictureSources
from cogs.posting import edit_answer
from constants import DISCORD_ALT_TEXT_CHARS, MAX_PROMPT_CHARS, MAX_UPSCALE_FACTOR
from generation.errors import CapabilityError, RequestRejected
from generation.job import Job, JobView, Origin
from generation.options import RANGES
from generation.prompt_syntax import parse_prompt
from generation.request import Draft, Mode, Pan
from services.catalog import Catalog
from services.describing import DescribingService
from services.generation import GenerationService
from services.masks import take_masked
from services.media import MediaService
from services.pictures import parameters_in
from utils import images
from utils.clock import Clock
from utils.images import BadImage
from utils.text import cut
from utils.threads import run_in_thread

UPSCALE_FACTOR: Final = 2.0
ZOOM: Final = 1.5
SHOWN_SIDE_PX: Final = 512
# what a press or a message's menu makes of a picture, by the argument of the button
CHANGES: Final[dict[str, Draft]] = {
    "upscale": Draft(mode=Mode.UPSCALE, upscale_factor=UPSCALE_FACTOR),
    "zoom": Draft(zoom=ZOOM),
    **{pan.value: Draft(pan=pan) for pan in Pan},
}
DRAW, DRAW_PRIVATE = "draw", "draw-private"


class Pictures(commands.Cog):
    """The commands that begin with a picture."""

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

    # -- larger --------------------------------------------------------------------------------------------------

    @nextcord.slash_command(name="upscale", description="Make a picture larger")
    async def upscale(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture", required=True),
        factor: float = SlashOption(
            description="How many times (2 is usual)", required=False, min_value=1, max_value=MAX_UPSCALE_FACTOR
        ),
        upscaler: str = SlashOption(description="What enlarges it", required=False, max_length=100),
        backend: str = SlashOption(description="Engine to do it", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        typed = Draft(
            mode=Mode.UPSCALE, upscale_factor=factor or UPSCALE_FACTOR, upscaler=upscaler or None, backend=backend
        )
        await self._begin(interaction, private=bool(private))
        draft, notes = await self._made_from(typed, await self._sources.of_attachment(image), None)
        await self._make(interaction, draft, private=bool(private), notes=notes)

    @prefix_command(name="upscale")
    async def upscale_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!upscale 2` with a picture, or in reply to one: short for `!dream --upscale 2`."""
        replied = ctx.message.reference.resolved if ctx.message.reference else None
        if not ctx.message.attachments and isinstance(replied, nextcord.Message):
            self._sources.check_single(await self._sources.job_of(replied))
        dream = ctx.bot.get_command("dream")
        assert dream is not None, "the cog of the main command is always there"
        await ctx.invoke(dream, text=forms.upscale_options(text))

    @nextcord.message_command(name="Upscale 2×")
    async def upscale_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        await self._from_message(interaction, message, CHANGES["upscale"])

    # -- partly new, and more of it ------------------------------------------------------------------------------

    @nextcord.slash_command(name="inpaint", description="Draw a part of a picture anew")
    async def inpaint(
        self,
        interaction: nextcord.Interaction,
        prompt: str = SlashOption(description="What shall be there", max_length=MAX_PROMPT_CHARS, required=True),
        image: nextcord.Attachment = SlashOption(description="The picture", required=True),
        mask: nextcord.Attachment = SlashOption(
            description="White where it may change; without one, what is transparent in the picture", required=False
        ),
        strength: float = SlashOption(
            description="0 keeps the picture, 1 ignores it", required=False, min_value=0, max_value=1
        ),
        backend: str = SlashOption(description="Engine to draw on", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        parsed = parse_prompt(prompt)
        is_private = parsed.is_private or bool(private)
        await self._begin(interaction, private=is_private)
        read = self._sources.of_attachment
        data, stencil = await asyncio.gather(read(image), read(mask) if mask else _nothing())
        source = await take_masked(self._media, data, stencil)
        typed = Draft(denoising_strength=strength, backend=backend).over(forms.without_others(parsed.draft))
        draft = replace(typed, mode=Mode.INPAINT, init_image=source.image, mask_image=source.mask, zoom=None, pan=None)
        await self._make(interaction, draft, private=is_private, notes=(*forms.notes_of(parsed), *source.notes))

    @nextcord.slash_command(name="outpaint", description="Draw on beyond the edges of a picture")
    async def outpaint(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture", required=True),
        prompt: str = SlashOption(
            description="What the whole picture shows", required=False, max_length=MAX_PROMPT_CHARS
        ),
        zoom: float = SlashOption(
            description="Show so many times more around it (1.5 is usual)",
            required=False,
            min_value=RANGES["zoom"].low,
            max_value=RANGES["zoom"].high,
        ),
        pan: str = SlashOption(description="Or continue it to one side", required=False, choices=[*Pan]),
        backend: str = SlashOption(description="Engine to draw on", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        parsed = parse_prompt(prompt or "")
        is_private = parsed.is_private or bool(private)
        await self._begin(interaction, private=is_private)
        typed = Draft(zoom=zoom, pan=Pan(pan) if pan else None, backend=backend)
        typed = typed.over(forms.without_others(parsed.draft))
        if typed.zoom is None and typed.pan is None:
            typed = replace(typed, zoom=ZOOM)
        draft, notes = await self._made_from(typed, await self._sources.of_attachment(image), None)
        await self._make(interaction, draft, private=is_private, notes=(*forms.notes_of(parsed), *notes))

    @nextcord.message_command(name="Zoom out 1.5×")
    async def zoom_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        await self._from_message(interaction, message, CHANGES["zoom"])

    # -- words from a picture ------------------------------------------------------------------------------------

    @nextcord.slash_command(name="describe", description="Find words for a picture")
    async def describe(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture", required=True),
        backend: str = SlashOption(description="Engine to ask", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        await self._begin(interaction, private=bool(private))
        data = await self._sources.of_attachment(image)
        await self._show_words(interaction, data, backend=backend, private=bool(private), shows_picture=True)

    @nextcord.message_command(name="Describe")
    async def describe_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        job = await self._sources.job_of(message)
        await self._begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_words(interaction, data, backend=None, private=_is_private(message, job), shows_picture=False)

    @nextcord.slash_command(name="pnginfo", description="Read how a picture was made")
    async def pnginfo(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description="The picture, as the original file", required=True),
        private: bool = SlashOption(description="What you draw from it is for you alone, too", required=False),
    ) -> None:
        await self._begin(interaction, private=True)
        await self._show_info(interaction, await self._sources.of_attachment(image), private=bool(private))

    @nextcord.message_command(name="Picture info")
    async def info_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        job = await self._sources.job_of(message)
        await self._begin(interaction, private=True)
        data = await self._sources.of_message(message, job)
        await self._show_info(interaction, data, private=_is_private(message, job))

    async def _show_words(
        self, interaction: nextcord.Interaction, data: bytes, *, backend: str | None, private: bool, shows_picture: bool
    ) -> None:
        source = await self._media.take_input(data)
        user_id, guild_id = _who(interaction)
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

    # -- presses -------------------------------------------------------------------------------------------------

    @commands.Cog.listener("on_interaction")
    async def on_press(self, interaction: nextcord.Interaction) -> None:
        if interaction.type is not nextcord.InteractionType.component:
            return
        data: Any = interaction.data
        parsed = parse_id(data["custom_id"])
        if parsed is None or parsed[0] != forms.ACTION:
            return
        _, job_id, what = parsed
        async with told(interaction):
            if what in (DRAW, DRAW_PRIVATE):
                await self._draw(interaction, private=what == DRAW_PRIVATE)
                return
            if what not in CHANGES:
                raise RequestRejected("This button belongs to another version of me and does nothing now.")
            job = await self._service.get(job_id)
            assert interaction.message is not None, "a button stands under a message"
            await self._change(interaction, interaction.message, job, CHANGES[what])

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
            await self._messages.open(view, partial(edit_answer, interaction))

    async def _submit_nearest(self, draft: Draft, origin: Origin, notes: tuple[str, ...]) -> JobView:
        """Submit what was drawn elsewhere: without its model and LoRAs where no engine here has them."""
        try:
            return await self._service.submit(draft, origin, notes=notes)
        except CapabilityError:
            if not draft.model and not draft.loras:
                raise
        if draft.model:
            notes = (*notes, f"model {draft.model} is not here")
        notes = (*notes, *(f"LoRA {lora.name} left out" for lora in draft.loras))
        return await self._service.submit(replace(draft, model=None, loras=()), origin, notes=notes)

    # -- pictures from pictures ----------------------------------------------------------------------------------

    async def _from_message(self, interaction: nextcord.Interaction, message: nextcord.Message, changes: Draft) -> None:
        job = await self._sources.job_of(message)
        await self._change(interaction, message, job, changes)

    async def _change(
        self, interaction: nextcord.Interaction, message: nextcord.Message, job: Job | None, changes: Draft
    ) -> None:
        """Answer with a new message and make something of the picture in `message`; the result is the presser's."""
        check_interaction_permissions(interaction)
        is_private = _is_private(message, job)
        async with thinking(interaction, ephemeral=is_private):
            draft, notes = await self._made_from(changes, await self._sources.of_message(message, job), job)
            await self._make(interaction, draft, private=is_private, notes=notes, job=job)

    async def _made_from(self, changes: Draft, data: bytes, job: Job | None) -> tuple[Draft, tuple[str, ...]]:
        """Lay `changes` over what is known of a picture: the job that made it, or what its file says."""
        source = await self._media.take_input(data)
        known = forms.known_of(job, None if job else await parameters_in(data))
        if changes.mode is Mode.UPSCALE:
            return replace(changes.over(Draft(prompt=known.prompt)), init_image=source), ()
        draft = replace(changes.over(known), init_image=source)
        if draft.prompt:
            return draft, ()
        note = f"no words were said or found in the picture: drawn as “{forms.SAME_SCENE}”"
        return replace(draft, prompt=forms.SAME_SCENE), (note,)

    async def _begin(self, interaction: nextcord.Interaction, *, private: bool) -> None:
        check_interaction_permissions(interaction)
        await interaction.response.defer(ephemeral=private)

    async def _make(
        self,
        interaction: nextcord.Interaction,
        draft: Draft,
        *,
        private: bool,
        notes: tuple[str, ...] = (),
        job: Job | None = None,
    ) -> None:
        origin = of_interaction(interaction, self._clock, private=private)
        if job is not None:
            origin = replace(
                origin,
                parent_job_id=job.id,
                parent_user_id=job.origin.user_id,
                parent_channel_id=job.origin.channel_id,
                parent_message_id=job.origin.message_id,
            )
        view = await self._service.submit(draft, origin, notes=notes)
        await self._messages.open(view, partial(edit_answer, interaction))

    # -- autocomplete --------------------------------------------------------------------------------------------

    @upscale.on_autocomplete("backend")
    @inpaint.on_autocomplete("backend")
    @outpaint.on_autocomplete("backend")
    @describe.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        user_id, guild_id = _who(interaction)
        pairs = self._catalog.suggest("backend", typed, user_id=user_id, guild_id=guild_id)
        await interaction.response.send_autocomplete(dict(pairs))

    @upscale.on_autocomplete("upscaler")
    async def suggest_upscaler(self, interaction: nextcord.Interaction, typed: str) -> None:
        engines = self._catalog.engines(*_who(interaction))
        names = [name for one in engines if one.capabilities for name in one.capabilities.upscalers or ()]
        hits = [name for name in dict.fromkeys(names) if typed.casefold() in name.casefold() and len(name) <= 100]
        await interaction.response.send_autocomplete(hits[:25])


def _is_private(message: nextcord.Message, job: Job | None) -> bool:
    """Say whether only one person sees that message, so that what is made from it stays with them."""
    return bool(message.flags.ephemeral) or (job is not None and job.origin.private)


def _who(interaction: nextcord.Interaction) -> tuple[str, str | None]:
    assert interaction.user is not None, "Discord always says who"
    return str(interaction.user.id), str(interaction.guild_id) if interaction.guild_id else None


async def _nothing() -> None:
    return None
