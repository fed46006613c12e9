"""`Draw 12 pictures?`: the question before choices in braces become many jobs, and the two buttons under it."""

from dataclasses import replace
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.answers import DRAW, DROP, PREFIX, AnswerButton
from cogs.cards import Card, Row
from cogs.desk import Desk
from cogs.origin import check_interaction_permissions, of_interaction, of_message, person_of, person_of_message
from cogs.posting import ASKING, reply_to
from cogs.presses import Press, Route
from cogs.wire.styles import edit_of, new_message
from generation.order import Order
from services.drawing.questions import Cost, QuestionService
from texts.text import _, _n
from utils.clock import Clock


class Questions(commands.Cog):
    """Takes orders in like the desk, but asks first where they come to many pictures."""

    def __init__(self, *, questions: QuestionService, desk: Desk, clock: Clock) -> None:
        self._questions = questions
        self._desk = desk
        self._clock = clock

    async def take_press(self, interaction: nextcord.Interaction, order: Order, *, private: bool | None) -> None:
        """Take in what a slash command asks for, at once or once it is confirmed."""
        if not self._questions.needs_asking(order):
            await self._desk.take_press(interaction, order, private=private)
            return
        is_private = await self._desk.is_private(person_of(interaction), private)
        origin = of_interaction(interaction, self._clock, private=is_private)
        cost = await self._questions.ask(str(interaction.id), order, origin)
        card = question_card(str(interaction.id), cost)
        await interaction.response.send_message(**new_message(card), ephemeral=is_private)

    async def take_message(self, ctx: commands.Context[Any], order: Order, *, private: bool | None) -> None:
        """Take in what a message asks for, at once or once it is confirmed."""
        if not self._questions.needs_asking(order):
            await self._desk.take_message(ctx, order, private=private)
            return
        is_private = await self._desk.is_private(person_of_message(ctx), private)
        cost = await self._questions.ask(str(ctx.message.id), order, of_message(ctx, private=is_private))
        await reply_to(ctx, **new_message(question_card(str(ctx.message.id), cost)))

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(prefix=PREFIX, action=DRAW, handle=self._draw),
            Route(prefix=PREFIX, action=DROP, handle=self._drop),
        )

    async def _draw(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_interaction_permissions(interaction)
        question = await self._questions.answered(press.job_id, person_of(interaction))
        message = interaction.message
        if message is not None and (message.flags.ephemeral or not question.is_private):
            # the question becomes the answer
            await interaction.response.edit_message(content=ASKING, view=None)
        await self._desk.take_press(interaction, question.order, private=question.is_private, intake_id=question.id)
        await self._questions.close(question)

    async def _drop(self, interaction: nextcord.Interaction, press: Press) -> None:
        question = await self._questions.answered(press.job_id, person_of(interaction))
        await self._questions.close(question)
        card = Card(content=_("-# Nothing was drawn."))
        await interaction.response.edit_message(**edit_of(card, keeps_files=True))


def question_card(question_id: str, cost: Cost) -> Card:
    """Ask whether so many pictures are wanted."""
    text = _(
        "**Draw {pictures}?** The choices in braces stand for that many.{price}\n-# \\{{ is a brace that is only a "
        "character.",
        pictures=_n("{count} picture", "{count} pictures", count=cost.pictures),
        price=_(" They cost about ${usd:.2f}.", usd=cost.usd) if cost.usd else "",
    )
    draw = AnswerButton(
        action=DRAW, job_id=question_id, label=_("Draw {count}", count=cost.pictures), emoji="🎨", style="primary"
    )
    row: Row = (draw, replace(draw, action=DROP, label=_("Cancel"), emoji="✖️", style="secondary"))
    return Card(content=text, rows=(row,))
