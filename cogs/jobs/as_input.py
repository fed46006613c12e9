"""“Use as input” under a picture: a form for the words, as `/imagine` with that picture attached."""

from dataclasses import replace
from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.cards import make_id
from cogs.desk import Desk
from cogs.mentions import names_of_interaction
from cogs.origin import check_interaction_permissions, person_of
from cogs.pictures.forms import notes_of
from cogs.pictures.sources import PictureSources, is_private
from cogs.presses import Press, Route
from cogs.wire.fields import TextField
from cogs.wire.forms import Form, filled_in, open_form
from constants import DEFAULT_DENOISING_STRENGTH, MAX_PROMPT_CHARS
from generation.deeds import Deed
from generation.prompt_syntax import parse_prompt
from services.drawing.generation import GenerationService
from texts.text import _

OPEN: Final = "input"
SENT: Final = "input-sent"


class AsInput(commands.Cog):
    """Anybody who sees a picture may draw from it; the result is theirs."""

    def __init__(self, *, service: GenerationService, sources: PictureSources, desk: Desk) -> None:
        self._service = service
        self._sources = sources
        self._desk = desk

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(action=OPEN, handle=self._open),
            Route(action=SENT, handle=self._sent, takes_forms=True),
        )

    async def _open(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        assert interaction.message is not None, "a menu stands under a message"
        self._sources.order_for(interaction.message, job)  # refused before anything is typed
        await open_form(interaction, input_form(job.id))

    async def _sent(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        assert interaction.message is not None, "the form came from a message"
        filled = filled_in(interaction)
        words, strength = filled.text("prompt"), filled.text("strength").strip()
        parsed = parse_prompt(words, await names_of_interaction(interaction, words))
        draft = parsed.draft
        if strength:  # an option in the words goes before the field
            draft = draft.over(parse_prompt(_("--strength {strength}", strength=strength)).draft)
        check_interaction_permissions(interaction)
        order = self._sources.order_for(interaction.message, job, draft)
        order = replace(order, notes=notes_of(parsed), fills=parsed.has_wildcards)
        private = parsed.is_private or is_private(interaction.message, job) or None
        await self._desk.take_press(interaction, order, private=private, deed=Deed.INPUT, number=1)


def input_form(job_id: str) -> Form:
    """Ask for the words, and for how much of the picture is to be new."""
    fields = (
        TextField(
            name="prompt",
            label=_("What to draw from this picture"),
            is_long=True,
            limit=MAX_PROMPT_CHARS,
            example=_("the same place in autumn, oil painting"),
        ),
        TextField(
            name="strength",
            label=_("How much is new (0 keeps it, 1 ignores it)"),
            value=f"{DEFAULT_DENOISING_STRENGTH:g}",
            limit=5,
            is_required=False,
        ),
    )
    return Form(title=_("Use as input"), custom_id=make_id(SENT, job_id), fields=fields)
