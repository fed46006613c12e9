"""`/help`: ten lines with commands to press on; the pages after it have tips, the usual options and every option."""

from collections.abc import Callable
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Button, Card, check_stands_in
from cogs.decorators import prefix_command
from cogs.posting import reply_to
from cogs.presses import Press, Route
from cogs.wire.styles import edit_of, new_message
from constants import DISCORD_CONTENT_CHARS
from generation.negatives import READY
from generation.options import OPTIONS, PromptOption
from texts.text import _, joined

ACTION: Final = "help"
TRY_ACTION: Final = "welcome"  # whose press draws the picture to try
EXAMPLES: Final = (
    _("a red fox in the snow"),
    _("portrait of Riley --negative ugly, blurry, distorted"),
    _("cyberpunk cityscape --size 768x512 --steps 30"),
    _("a castle at sunset, watercolor --ar 16:9 --seed 42"),
    _("a cozy cabin in the woods --batch 4"),
    _("the same, but in autumn --strength 0.6  (reply to a picture, or attach one)"),
)
USUAL: Final = 2  # the page of options, behind the first and the tips
TOPICS: Final = {"prompts": 1, "options": USUAL}
GOOD: Final = (  # no text: prompts
    "portrait of an old sailor, weathered face, soft window light, oil painting",
    "a small library at night, warm lamps, rain on the window, watercolor",
    "a red fox in deep snow, low sun behind it, wide shot, photorealistic",
)
Mention = Callable[[str], str]  # of a command by its name: clickable where Discord has it


def typed(name: str) -> str:
    return f"`/{name}`"


class Help(commands.Cog):
    """Says how pictures are made; the same by slash and by prefix."""

    @nextcord.slash_command(name="help", description=_("How to make pictures here"))
    async def slash_help(
        self,
        interaction: nextcord.Interaction,
        about: str = SlashOption(description=_("What about"), choices=list(TOPICS), required=False),
    ) -> None:
        card = help_pages(clickable(interaction.client, interaction.guild_id))[TOPICS.get(about or "", 0)]
        await interaction.response.send_message(**new_message(card), ephemeral=True)

    @prefix_command(name="help")
    async def help_by_prefix(self, ctx: commands.Context[Any], about: str = "") -> None:
        """`!help prompts`: how prompts are written; `!help options`: what may stand behind them."""
        wanted = about.casefold().removesuffix("s") + "s"
        pages = help_pages(clickable(ctx.bot, ctx.guild.id if ctx.guild else None))
        await reply_to(ctx, **new_message(pages[TOPICS.get(wanted, 0)]))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._turn),)

    async def _turn(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, ACTION)
        pages = help_pages(clickable(interaction.client, interaction.guild_id))
        card = pages[min(int(press.argument), len(pages) - 1)]
        await interaction.response.edit_message(**edit_of(card, keeps_files=True))


def clickable(client: nextcord.Client, guild_id: int | None) -> Mention:
    """Return what names a command so that a press on it begins it; as typed where Discord does not know it yet."""
    known = {
        command.name: command
        for command in client.get_all_application_commands()
        if isinstance(command, nextcord.SlashApplicationCommand)
    }

    def mention(name: str) -> str:
        head, __, __ = name.partition(" ")
        ids = known[head].command_ids if head in known else {}
        command_id = ids.get(guild_id) or ids.get(None)
        return f"</{name}:{command_id}>" if command_id else typed(name)

    return mention


def slash_hint(ctx: commands.Context[Any]) -> str:
    """Return where the command is that somebody typed behind the prefix; "" where there is none of that name."""
    name = (ctx.invoked_with or "").casefold()
    mention = clickable(ctx.bot, ctx.guild.id if ctx.guild else None)(name) if ctx.prefix and name else ""
    return _("{command} is a slash command: press on it, or type `/`.", command=mention) if "</" in mention else ""


def help_pages(mention: Mention = typed) -> list[Card]:
    """Draw all pages; no line is ever cut."""
    examples = joined("\n", (_("/generate {text}", text=text) for text in EXAMPLES))
    usual = [_line(option) for option in OPTIONS if option.is_usual]
    texts = [
        first_page(mention),
        tips_page(),
        joined("\n", [_("**Usual options**\n```\n{examples}\n```", examples=examples), *usual]),
    ]
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


def first_page(mention: Mention) -> str:
    """Return ten lines: what people want first, and the command for each."""
    lines = (
        _("**Making pictures**"),
        _("{imagine} with what you would like to see; or `!dream`, or my name and the words.",
          imagine=mention("imagine")),
        _("Reply to a picture: “make it night”, “remove the hat”, “16:9”, “2x”, “again”."),
        _("Attach a picture, reply to one or give `--image` to start from it; {style}, {upscale}, {inpaint}.",
          style=mention("style"), upscale=mention("upscale"), inpaint=mention("inpaint")),
        _("{compare}: the same words on several engines; {versus}: two prompts, and a vote on which is better.",
          compare=mention("compare"), versus=mention("versus")),
        _("{gallery} and {history}: what was made; ⭐ under a picture keeps it.",
          gallery=mention("gallery"), history=mention("history")),
        _("{queue}: how busy it is; {cancel}: stop what is yours; {why}: what became of a picture.",
          queue=mention("queue"), cancel=mention("cancel"), why=mention("why")),
        _("{settings}: options you always want; {models}: what there is to draw with.",
          settings=mention("settings set"), models=mention("models")),
        _("{sdconnect}: draw on your own engine; {status}: how all of them are.",
          sdconnect=mention("sdconnect"), status=mention("status")),
        _("-# {forget} deletes what I keep about you.", forget=mention("forget")),
    )  # fmt: skip
    return joined("\n", lines)


def tips_page() -> str:
    """Return how prompts are written, and which numbers suit what."""
    ready = joined("\n", (f"{name}: {words}" for name, words in READY.items()))
    lines = (
        _("**Prompts that work** say who or what, where, in which light, and in which style:"),
        f"```\n{joined(chr(10), GOOD)}\n```",
        _("**Prompts to avoid**"),
        _("`a beautiful picture`: there is nothing in it to draw."),
        _("`fox, castle, ocean, robot, rain, market`: too much at once, and no place for any of it."),
        _("`a street, no people, not dark`: models read “people” and “dark”; say `--negative people, darkness`."),
        _("**Steps:** 15-20 a quick look · 25-30 usual · 40-50 much detail · 100 and more: slow, and hardly better."),
        _("**Sizes:** 512x512 things, 512x768 people, 768x512 places, 640x640 and 768x768 more detail. Models of today "
          "(SDXL, Flux) are made for about 1024x1024, which is what you get if you say none."),
        _("**Styles:** `--style` with digital-art, oil-painting, anime, photorealistic, watercolor …"),
        _("**Leave out:** always worth a try, for example one of these behind `--negative`:"),
        f"```\n{ready}\n```",
        _("-# A rented GPU costs money while it runs: `/gpu stop` when you are done; `/gpu show` names the cost."),
    )  # fmt: skip
    return joined("\n", lines)


def _line(option: PromptOption) -> str:
    return f"`{option.example}` {option.meaning}"


def _turn(number: int, count: int) -> tuple[Button, ...]:
    if number == 0:
        try_it = Button(action=TRY_ACTION, job_id="try", label=_("Try it"), emoji="🎨", style="primary")
        tips = Button(action=ACTION, job_id="page", label=_("Prompt tips"), argument="1")
        return (try_it, tips, Button(action=ACTION, job_id="page", label=_("All options"), argument=str(USUAL)))
    back = Button(action=ACTION, job_id="page", label=_("Back"), argument=str(number - 1))
    on = Button(action=ACTION, job_id="page", label=_("Next"), argument=str(number + 1))
    return (back, on) if number + 1 < count else (back,)
