"""`/help`: one page with examples and the usual options; the pages after it have every option."""

from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, check_stands_in, to_view
from cogs.decorators import prefix_command
from cogs.posting import reply_to
from cogs.presses import Press, Route
from cogs.wire.styles import edit_of, new_message
from constants import DISCORD_CONTENT_CHARS
from generation.options import OPTIONS, PromptOption
from texts.text import _, joined

ACTION: Final = "help"
EXAMPLES: Final = (
    _("a red fox in the snow"),
    _("portrait of Riley --negative ugly, blurry, distorted"),
    _("cyberpunk cityscape --size 768x512 --steps 30"),
    _("a castle at sunset, watercolor --ar 16:9 --seed 42"),
    _("a cozy cabin in the woods --batch 4"),
    _("the same, but in autumn --strength 0.6  (reply to a picture, or attach one)"),
)
TAIL: Final = _(
    "-# `!dream` takes the same words. `/upscale` `/inpaint` `/outpaint` `/describe` `/pnginfo` work on a picture, "
    "`/compare` asks several engines, `/models` `/queue` `/cancel` `/status` say and stop what is going on, "
    "`/sdconnect` brings your own engine, `/workflow` your own ComfyUI workflows. "
    "`/gallery` shows your pictures, `/settings` keeps options you always want, "
    "`/forget` deletes what I keep about you."
)


class Help(commands.Cog):
    """Says how pictures are made; the same by slash and by prefix."""

    @nextcord.slash_command(name="help", description=_("How to make pictures here"))
    async def slash_help(self, interaction: nextcord.Interaction) -> None:
        card = help_pages()[0]
        view = to_view(card.rows)
        assert view is not None, "every page has buttons"
        await interaction.response.send_message(card.content, view=view, ephemeral=True)

    @prefix_command(name="help")
    async def help_by_prefix(self, ctx: commands.Context[Any]) -> None:
        await reply_to(ctx, **new_message(help_pages()[0]))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._turn),)

    async def _turn(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, ACTION)
        pages = help_pages()
        card = pages[min(int(press.argument), len(pages) - 1)]
        await interaction.response.edit_message(**edit_of(card, keeps_files=True))


def help_pages() -> list[Card]:
    """Draw all pages; no line is ever cut."""
    examples = joined("\n", (_("/generate {text}", text=text) for text in EXAMPLES))
    usual = [_line(option) for option in OPTIONS if option.is_usual]
    texts = [joined("\n", [_("**Making pictures**\n```\n{examples}\n```", examples=examples), *usual, TAIL])]
    head = _("**All options**")
    lines = [head]
    for option in OPTIONS:
        line = _line(option)
        if len(joined("\n", [*lines, line])) > DISCORD_CONTENT_CHARS:
            texts.append(joined("\n", lines))
            lines = [head]
        lines.append(line)
    texts.append(joined("\n", lines))
    return [Card(content=text, rows=(_turn(number, len(texts)),)) for number, text in enumerate(texts)]


def _line(option: PromptOption) -> str:
    return f"`{option.example}` {option.meaning}"


def _turn(number: int, count: int) -> tuple[Button, ...]:
    if number == 0:
        return (Button(action=ACTION, job_id="page", label=_("All options"), argument="1"),)
    back = Button(action=ACTION, job_id="page", label=_("Back"), argument=str(number - 1))
    on = Button(action=ACTION, job_id="page", label=_("Next"), argument=str(number + 1))
    return (back, on) if number + 1 < count else (back,)
