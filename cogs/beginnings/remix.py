"""`/remix`: the form of a picture's words and options, by the link of its message, its id, or your latest."""

from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Button, Card
from cogs.decorators import prefix_command
from cogs.inputs import LAST, Asker, Inputs
from cogs.jobs.controls import EditControls
from cogs.origin import check_interaction_permissions
from cogs.posting import reply_to
from cogs.wire.styles import new_message
from generation.job import Job
from texts.text import _

ACTION: Final = "edit"


class Remix(commands.Cog):
    """The form itself, and what is sent with it, are those of the button under a picture."""

    def __init__(self, *, inputs: Inputs, controls: EditControls) -> None:
        self._inputs = inputs
        self._controls = controls

    @nextcord.slash_command(name="remix", description=_("Change the words of a picture and draw it again"))
    async def slash_remix(
        self,
        interaction: nextcord.Interaction,
        picture: str = SlashOption(
            description=_("The link of its message, or its id; your latest one, if left out"),
            required=False,
            max_length=200,
        ),
    ) -> None:
        check_interaction_permissions(interaction)
        job = await self._inputs.job_at(picture or LAST, Asker.of_interaction(interaction))
        await self._controls.open_edit(interaction, job)

    @prefix_command(name="remix")
    async def remix_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!remix` in reply to a picture, or with its link or id: a button that opens the form."""
        reference, asker = ctx.message.reference, Asker.of_message(ctx)
        if not text.strip() and reference is not None and reference.message_id is not None:
            job = await self._inputs.job_in(reference.channel_id, reference.message_id, asker)
        else:
            job = await self._inputs.job_at(text.strip() or LAST, asker)
        await reply_to(ctx, **new_message(remix_card(job)))


def remix_card(job: Job) -> Card:
    """Offer the form: a message cannot open one."""
    button = Button(action=ACTION, job_id=job.id, label=_("Remix"), emoji="✏️", style="primary")
    return Card(content=_("Press to change its words and options:"), rows=((button,),))
