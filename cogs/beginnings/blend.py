"""`/blend` and `!blend`: two to five pictures drawn into one, on an engine that can."""

from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import address_of, pictures_in
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.inputs import Asker, Brought, Inputs
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import check_interaction_permissions, check_message_permissions, person_of, person_of_message
from cogs.pictures.sources import suggest_engines
from cogs.slash import slash_option
from cogs.wire.reading import whole
from cogs.workflows.cog import suggest_workflows
from generation.errors import RequestRejected
from generation.order import Order, OrderKind
from generation.person import Person
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import Draft, WorkflowRef
from services.drawing.blending import LEAST, MOST, WORDS, blending_engine
from services.drawing.workflows import WorkflowService
from services.engines.catalog import Catalog
from texts.text import _

FURTHER: Final = _("Another picture")


class Blend(commands.Cog):
    """Asks for an engine that can before anything is taken in."""

    def __init__(self, *, catalog: Catalog, workflows: WorkflowService, inputs: Inputs, desk: Desk) -> None:
        self._catalog = catalog
        self._workflows = workflows
        self._inputs = inputs
        self._desk = desk

    @nextcord.slash_command(name="blend", description=_("Draw two to five pictures into one"))
    async def slash_blend(
        self,
        interaction: nextcord.Interaction,
        image1: nextcord.Attachment = SlashOption(description=_("The first picture"), required=True),
        image2: nextcord.Attachment = SlashOption(description=_("The second picture"), required=True),
        image3: nextcord.Attachment = SlashOption(description=FURTHER, required=False),
        image4: nextcord.Attachment = SlashOption(description=FURTHER, required=False),
        image5: nextcord.Attachment = SlashOption(description=FURTHER, required=False),
        prompt: str = slash_option("prompt", description=_("What is to come of them, if you have something in mind")),
        workflow: str = slash_option("workflow"),
        backend: str = slash_option("backend"),
        private: bool = slash_option("private"),
    ) -> None:
        check_interaction_permissions(interaction)
        given = (image1, image2, image3, image4, image5)
        files = [(address_of(image), image.filename) for image in given if image]
        parsed = parse_prompt(prompt or "", await names_of_interaction(interaction, prompt))
        beside = Draft(backend=backend or None, workflow=WorkflowRef(name=workflow) if workflow else None)
        order = self._order(parsed, beside, files, person_of(interaction))
        await self._desk.take_press(interaction, order, private=parsed.is_private or private)

    @slash_blend.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_engines(self._catalog, interaction, typed)

    @slash_blend.on_autocomplete("workflow")
    async def suggest_workflow(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed)

    @prefix_command(name="blend")
    async def blend_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!blend` with two to five pictures: attached, of the message it replies to, or after `--image`."""
        await check_message_permissions(ctx)
        brought = await self._inputs.read(text, Asker.of_message(ctx))
        pictures = pictures_in(ctx.message)
        replied = ctx.message.reference.resolved if ctx.message.reference else None
        if isinstance(replied, nextcord.Message):
            pictures += pictures_in(await whole(ctx.bot, replied))
        files = [*((address_of(picture), picture.filename) for picture in pictures), *brought.files]
        parsed = parse_prompt(_without_link(brought), names_in(ctx.message))
        order = self._order(parsed, Draft(), files, person_of_message(ctx))
        await self._desk.take_message(ctx, order, private=parsed.is_private or None)

    def _order(self, parsed: ParsedPrompt, beside: Draft, files: list[tuple[str, str]], person: Person) -> Order:
        """Return the order for these pictures.

        Raises:
            RequestRejected: they are too few or too many.
            CapabilityError: no engine here can.
        """
        if not LEAST <= len(files) <= MOST:
            raise RequestRejected(
                _("A blend takes {least} to {most} pictures, not {count}.", least=LEAST, most=MOST, count=len(files)),
                field="image",
                hint=_("Attach them to one message, or use `/blend`."),
            )
        draft = beside.over(parsed.draft)
        if not draft.workflow:
            name = blending_engine(self._catalog, person, len(files), draft.backend)
            draft = Draft(backend=name, prompt=draft.prompt or WORDS).over(draft)
        return Order(
            kind=OrderKind.DRAW,
            draft=draft,
            notes=parsed.notes,
            fills=parsed.has_wildcards,
            files=tuple(address for address, __ in files),
            names=tuple(name for __, name in files),
            is_spoiler=parsed.is_spoiler or None,
        )


def _without_link(brought: Brought) -> str:
    """Return the words of a prompt whose pictures all have files.

    Raises:
        RequestRejected: one is given by its address or id.
    """
    if brought.link:
        raise RequestRejected(
            _("Pictures for a blend come as files: attach them, or give links of messages."), field="image"
        )
    return brought.text
