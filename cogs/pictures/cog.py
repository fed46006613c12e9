"""Commands for a picture that somebody has: enlarge it, paint over a part, draw on beyond its edges, follow its pose.

Slash commands take a file; "Apps" in a message's menu takes the picture of that message. The picture itself is loaded
later: what is stored and answered with "thinking…" is its address.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import address_of
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.mentions import names_of_interaction
from cogs.origin import check_interaction_permissions, person_of, person_of_message
from cogs.pictures import forms
from cogs.pictures.sources import PictureSources, is_private, suggest_engines
from cogs.plain import suggest
from cogs.presses import Press, Route
from cogs.slash import slash_option
from cogs.wire.reading import complete, raw_target, whole
from generation.capabilities import Capabilities
from generation.deeds import Deed
from generation.job import Job
from generation.options import MAX_CONTROL_WEIGHT
from generation.order import Order, OrderKind
from generation.prompt_syntax import parse_prompt
from generation.request import ControlUnit, Draft, Mode, Pan, Priority, SourceImage
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from services.pictures.media import MediaService
from texts.text import _

UPSCALE_FACTOR: Final = 2.0
ZOOM: Final = 1.5
# what a press or a message's menu makes of a picture, by the argument of the button
CHANGES: Final[dict[str, Draft]] = {
    "upscale": Draft(mode=Mode.UPSCALE, upscale_factor=UPSCALE_FACTOR),
    "zoom": Draft(zoom=ZOOM),
    **{pan.value: Draft(pan=pan) for pan in Pan},
}


class Pictures(commands.Cog):
    """The commands that begin with a picture."""

    def __init__(
        self,
        *,
        service: GenerationService,
        media: MediaService,
        catalog: Catalog,
        desk: Desk,
    ) -> None:
        self._service = service
        self._catalog = catalog
        self._desk = desk
        self._sources = PictureSources(service, media)

    # -- larger --------------------------------------------------------------------------------------------------

    @nextcord.slash_command(name="upscale", description=_("Make a picture larger"))
    async def upscale(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description=_("The picture"), required=True),
        factor: float = slash_option("upscale_factor"),
        upscaler: str = slash_option("upscaler", description=_("What enlarges it"), max_length=100),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
        priority: str = slash_option("priority"),
    ) -> None:
        typed = Draft(
            mode=Mode.UPSCALE, upscale_factor=factor or UPSCALE_FACTOR, upscaler=upscaler or None, backend=backend
        )
        await self._take(interaction, OrderKind.CHANGE, _hurried(typed, priority), (image,), private=private)

    @prefix_command(name="upscale")
    async def upscale_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!upscale 2` with a picture, or in reply to one: short for `!dream --upscale 2`."""
        await self._dream(ctx, forms.upscale_options(text))

    @nextcord.message_command(name="Upscale 2×")
    async def upscale_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        await self._from_message(interaction, message, "upscale")

    # -- in another style ----------------------------------------------------------------------------------------

    @nextcord.slash_command(name="restyle", description=_("Paint a picture in another style"))
    async def restyle(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description=_("The picture"), required=True),
        style: str = SlashOption(description=_("One of the engine's styles"), required=False, max_length=100),
        like: nextcord.Attachment = SlashOption(description=_("A picture in the style you want"), required=False),
        strength: float = slash_option("denoising_strength"),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
        priority: str = slash_option("priority"),
    ) -> None:
        styles = (style,) if style else ()
        typed = Draft(mode=Mode.RESTYLE, styles=styles, denoising_strength=strength, backend=backend)
        files = (image, like) if like else (image,)
        await self._take(interaction, OrderKind.STYLE, _hurried(typed, priority), files, private=private)

    @prefix_command(name="restyle", aliases=["style"])
    async def style_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!restyle painting 5` with a picture, or in reply to one; a second picture lends its style."""
        await self._dream(ctx, forms.style_options(text))

    # -- partly new, and more of it ------------------------------------------------------------------------------

    @nextcord.slash_command(name="inpaint", description=_("Redraw a part of a picture"))
    async def inpaint(
        self,
        interaction: nextcord.Interaction,
        prompt: str = slash_option("prompt", is_required=True, description=_("What should be there")),
        image: nextcord.Attachment = SlashOption(description=_("The picture"), required=True),
        mask: nextcord.Attachment = SlashOption(
            description=_("White where it may change; without one, what is transparent in the picture"), required=False
        ),
        strength: float = slash_option("denoising_strength"),
        mask_blur: int = slash_option("mask_blur"),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
        priority: str = slash_option("priority"),
    ) -> None:
        parsed = parse_prompt(prompt, await names_of_interaction(interaction, prompt))
        typed = Draft(denoising_strength=strength, mask_blur=mask_blur, backend=backend).over(
            forms.without_others(parsed.draft)
        )
        draft = replace(typed, mode=Mode.INPAINT, zoom=None, pan=None)
        files = (image, mask) if mask else (image,)
        is_alone = parsed.is_private or private
        notes = forms.notes_of(parsed)
        await self._take(
            interaction,
            OrderKind.INPAINT,
            _hurried(draft, priority),
            files,
            private=is_alone,
            notes=notes,
            fills=parsed.has_wildcards,
        )

    @nextcord.slash_command(name="outpaint", description=_("Continue a picture beyond its edges"))
    async def outpaint(
        self,
        interaction: nextcord.Interaction,
        image: nextcord.Attachment = SlashOption(description=_("The picture"), required=True),
        prompt: str = slash_option("prompt", description=_("What the whole picture shows")),
        zoom: float = slash_option("zoom"),
        pan: str = slash_option("pan"),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
        priority: str = slash_option("priority"),
    ) -> None:
        parsed = parse_prompt(prompt or "", await names_of_interaction(interaction, prompt))
        is_alone = parsed.is_private or private
        typed = Draft(zoom=zoom, pan=Pan(pan) if pan else None, backend=backend)
        typed = typed.over(forms.without_others(parsed.draft))
        if typed.zoom is None and typed.pan is None:
            typed = replace(typed, zoom=ZOOM)
        notes = forms.notes_of(parsed)
        await self._take(
            interaction,
            OrderKind.CHANGE,
            _hurried(typed, priority),
            (image,),
            private=is_alone,
            notes=notes,
            fills=parsed.has_wildcards,
        )

    @nextcord.message_command(name="Zoom out 1.5×")  # no text: it is known by this name
    async def zoom_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        await self._from_message(interaction, message, "zoom")

    @nextcord.slash_command(name="control", description=_("Draw after the pose, the edges or the depth of a picture"))
    async def control(
        self,
        interaction: nextcord.Interaction,
        prompt: str = slash_option("prompt", is_required=True),
        image: nextcord.Attachment = SlashOption(description=_("The picture to follow"), required=True),
        kind: str = SlashOption(
            description=_("What to take from it: canny, depth, openpose …"), max_length=60, required=True
        ),
        weight: float = SlashOption(
            description=_("How closely to follow it (1 is usual)"),
            required=False,
            min_value=0,
            max_value=MAX_CONTROL_WEIGHT,
        ),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
        priority: str = slash_option("priority"),
    ) -> None:
        parsed = parse_prompt(prompt, await names_of_interaction(interaction, prompt))
        is_alone = parsed.is_private or private
        unit = ControlUnit(kind=kind, image=SourceImage(media_id=""), weight=1.0 if weight is None else weight)
        draft = Draft(backend=backend, control=(unit,)).over(parsed.draft)
        notes = forms.notes_of(parsed)
        await self._take(
            interaction,
            OrderKind.CONTROL,
            _hurried(draft, priority),
            (image,),
            private=is_alone,
            notes=notes,
            fills=parsed.has_wildcards,
        )

    # -- presses -------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        return tuple(Route(action=forms.ACTION, argument=change, handle=self._press) for change in CHANGES)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        assert interaction.message is not None, "a button stands under a message"
        await self._change(interaction, interaction.message, job, press.argument)

    # -- pictures from pictures ----------------------------------------------------------------------------------

    async def _dream(self, ctx: commands.Context[Any], text: str) -> None:
        """Do what `!dream` does with these words and the picture of this message, or of the one it replies to."""
        replied = ctx.message.reference.resolved if ctx.message.reference else None
        if not ctx.message.attachments and isinstance(replied, nextcord.Message):
            shown = await whole(ctx.bot, replied)
            self._sources.check_single(await self._sources.job_of(shown, person_of_message(ctx)))
        dream = ctx.bot.get_command("dream")
        assert dream is not None, "the cog of the main command is always there"
        await ctx.invoke(dream, text=text)

    async def _from_message(self, interaction: nextcord.Interaction, message: nextcord.Message, change: str) -> None:
        complete(message, raw_target(interaction, message))
        job = await self._sources.job_of(message, person_of(interaction))
        await self._change(interaction, message, job, change)

    async def _change(
        self, interaction: nextcord.Interaction, message: nextcord.Message, job: Job | None, change: str
    ) -> None:
        """Answer with a new message and make something of the picture in `message`; the result is the presser's."""
        check_interaction_permissions(interaction)
        order = self._sources.order_for(message, job, CHANGES[change])
        await self._desk.take_press(interaction, order, private=is_private(message, job) or None, deed=Deed(change))

    async def _take(
        self,
        interaction: nextcord.Interaction,
        kind: OrderKind,
        draft: Draft,
        files: tuple[nextcord.Attachment, ...],
        *,
        private: bool | None,
        notes: tuple[str, ...] = (),
        fills: bool = False,
    ) -> None:
        check_interaction_permissions(interaction)
        order = Order(kind=kind, draft=draft, notes=notes, files=tuple(map(address_of, files)), fills=fills)
        await self._desk.take_press(interaction, order, private=private)

    # -- autocomplete --------------------------------------------------------------------------------------------

    @upscale.on_autocomplete("backend")
    @restyle.on_autocomplete("backend")
    @inpaint.on_autocomplete("backend")
    @outpaint.on_autocomplete("backend")
    @control.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_engines(self._catalog, interaction, typed)

    @upscale.on_autocomplete("upscaler")
    async def suggest_upscaler(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, typed, lambda capabilities: capabilities.upscalers)

    @restyle.on_autocomplete("style")
    async def suggest_style(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, typed, lambda can: can.styles if Mode.RESTYLE in can.modes else ())

    @control.on_autocomplete("kind")
    async def suggest_kind(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, typed, lambda capabilities: capabilities.control_kinds)

    async def _suggest(
        self,
        interaction: nextcord.Interaction,
        typed: str,
        names_of: Callable[[Capabilities], tuple[str, ...] | None],
    ) -> None:
        engines = self._catalog.engines_and_fillers(person_of(interaction))
        names = [name for engine in engines if engine.capabilities for name in names_of(engine.capabilities) or ()]
        hits = [name for name in dict.fromkeys(names) if typed.casefold() in name.casefold() and len(name) <= 100]
        await suggest(interaction, hits)


def _hurried(draft: Draft, priority: str | None) -> Draft:
    return replace(draft, priority=Priority(priority)) if priority else draft
