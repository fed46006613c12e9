"""`/enhance` and what stands under its answer: the fuller prompt drawn, changed first, or written once more.

Whoever sees the answer may press: what they draw is theirs, and the text engine is asked in their name.
"""

from dataclasses import replace
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card
from cogs.comparisons.versus import versus_order
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.enhancing import card as cards
from cogs.enhancing.card import ACTION, AGAIN, EDIT, EDITED, NO_JOB, OTHER, PRIVATE, VOTE
from cogs.error_handler import thinking
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import check_interaction_permissions, of_interaction, of_message, person_of
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from cogs.questions import Questions
from cogs.waiting import answer
from cogs.wire.forms import filled_in, open_form
from constants import MAX_PROMPT_CHARS
from generation.deeds import Deed
from generation.errors import RequestRejected
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft
from lazy import dataclass
from services.drawing.generation import GenerationService
from services.money.tags import PriceTags
from services.wording.enhancing import PromptService
from texts.text import _
from utils.clock import Clock


@dataclass(frozen=True, kw_only=True)
class PromptAsked:
    """A prompt to be written more fully: of a picture, or as it was typed; and for whom the drawn picture is."""

    text: str
    draft: Draft
    job_id: str = ""
    private: bool = False


class Enhance(commands.Cog):
    """Shows prompts before and after."""

    def __init__(
        self,
        *,
        prompts: PromptService,
        service: GenerationService,
        questions: Questions,
        desk: Desk,
        tags: PriceTags,
        clock: Clock,
    ) -> None:
        self._prompts = prompts
        self._service = service
        self._tags = tags
        self._questions = questions
        self._desk = desk
        self._clock = clock

    @nextcord.slash_command(name="enhance", description=_("Write a prompt more fully, and draw it if you like it"))
    async def slash_enhance(
        self,
        interaction: nextcord.Interaction,
        prompt: str = SlashOption(description=_("What you want to see"), max_length=MAX_PROMPT_CHARS),
        private: bool = SlashOption(description=_("Only you see the picture, too"), required=False),
    ) -> None:
        parsed = parse_prompt(prompt, await names_of_interaction(interaction, prompt))
        asked = PromptAsked(text=prompt, draft=parsed.draft, private=bool(private) or parsed.is_private)
        await self._answer(interaction, asked)

    @prefix_command(name="enhance")
    async def enhance_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!enhance a red fox`: the same, for everybody to read."""  # shown as it stands by !help
        parsed = parse_prompt(text, names_in(ctx.message))
        asked = PromptAsked(text=text, draft=parsed.draft, private=parsed.is_private)
        await answer(ctx, self._card(asked, of_message(ctx)))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._press, takes_forms=True),)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Do what a button, the menu or the form says; without an argument it is the menu under a picture."""
        argument = press.argument.removesuffix(PRIVATE)
        private = press.argument.endswith(PRIVATE)
        if press.job_id != NO_JOB:  # an id may be forged, so it is asked for first
            await self._service.visible(press.job_id, person_of(interaction))
        if not argument:
            await self._of_picture(interaction, press.job_id)
        elif argument == EDITED:
            await self._draw(interaction, filled_in(interaction).text("prompt"), press.job_id, private=private)
        else:
            words = cards.words_in(interaction.message)
            if argument == EDIT:
                await open_form(interaction, cards.edit_form(words, press.job_id, private=private))
            elif argument == AGAIN:
                job_id = "" if press.job_id == NO_JOB else press.job_id
                draft = Draft(prompt=words.before) if job_id else parse_prompt(words.before).draft
                await self._answer(
                    interaction, PromptAsked(text=words.before, draft=draft, job_id=job_id, private=private)
                )
            elif argument == VOTE:
                check_interaction_permissions(interaction)
                order = versus_order([parse_prompt(text, takes_several=True) for text in cards.sides_of(words)])
                await self._desk.take_press(interaction, order, private=False)
            else:
                text = _chosen(words, press) if argument == OTHER else words.after
                await self._draw(interaction, text, press.job_id, private=private)

    async def _of_picture(self, interaction: nextcord.Interaction, job_id: str) -> None:
        job = await self._service.visible(job_id, person_of(interaction))
        prompt = job.request.prompt
        if not prompt.strip():
            raise RequestRejected(_("That picture was made without words."))
        asked = PromptAsked(text=prompt, draft=Draft(prompt=prompt), job_id=job_id, private=job.origin.private)
        await self._answer(interaction, asked)

    async def _answer(self, interaction: nextcord.Interaction, asked: PromptAsked) -> None:
        """Answer who asked alone: the picture is what others want to see."""
        origin = of_interaction(interaction, self._clock, private=True)
        async with thinking(interaction, ephemeral=True):
            await edit_answer(interaction, await self._card(asked, origin))

    async def _card(self, asked: PromptAsked, origin: Origin) -> Card:
        if not asked.draft.prompt.strip():
            raise RequestRejected(
                _("Say what you would like to see, for example: a red fox in the snow."), field="prompt"
            )
        enhanced = await self._prompts.enhance(asked.draft.prompt, origin)
        after = format_prompt(replace(asked.draft, prompt=enhanced.prompt))
        usd = self._prompts.price
        drawn_usd = await self._drawn_usd(asked, enhanced.prompt, origin)
        return cards.enhanced_card(
            asked.text,
            after,
            enhanced,
            job_id=asked.job_id,
            private=asked.private,
            usd=usd,
            drawn_usd=drawn_usd,
        )

    async def _drawn_usd(self, asked: PromptAsked, prompt: str, origin: Origin) -> float:
        if not asked.job_id:
            return await self._tags.of_draft(replace(asked.draft, prompt=prompt), origin)
        return (await self._tags.of(await self._service.get(asked.job_id))).get("again", 0.0)

    async def _draw(self, interaction: nextcord.Interaction, text: str, job_id: str, *, private: bool) -> None:
        check_interaction_permissions(interaction)
        parsed = parse_prompt(text)
        if job_id != NO_JOB:
            job = await self._service.visible(job_id, person_of(interaction))
            order = Order(kind=OrderKind.AGAIN, draft=parsed.draft, notes=parsed.notes, job_id=job.id)
            await self._desk.take_press(interaction, order, private=job.origin.private or None, deed=Deed.REMIX)
            return
        order = Order(
            kind=OrderKind.DRAW,
            draft=parsed.draft,
            others=parsed.others,
            fills=parsed.has_wildcards,
            is_spoiler=parsed.is_spoiler or None,
            notes=parsed.notes,
            repeat=parsed.repeat,
        )
        await self._questions.take_press(interaction, order, private=private or parsed.is_private or None)


def _chosen(words: cards.EnhancedWords, press: Press) -> str:
    """Return the prompt that was picked from the menu, with the options of the one above it.

    Raises:
        RequestRejected: there is none of that number.
    """
    number = int(press.values[0]) if press.values and press.values[0].isdecimal() else -1
    if not 0 <= number < len(words.others):
        raise RequestRejected(_("That one is no longer there. Please open the list again."))
    return cards.with_options_of(words.after, words.others[number])
