"""`!dream` and `/generate`: read what was said and hand it over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.attachments import address_of, pictures_in, unused_in
from cogs.decorators import prefix_command
from cogs.inputs import Asker, Brought, Inputs, check_single_message, preview_in
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import check_interaction_permissions, check_message_permissions, person_of
from cogs.plain import suggest
from cogs.questions import Questions
from cogs.slash import draft_of_options, said_at, with_options
from cogs.wire.reading import whole
from cogs.workflows.cog import suggest_workflows
from cogs.workflows.options import suggest_options
from generation.fields import FIELDS, Kind
from generation.negatives import READY
from generation.order import Order, OrderKind
from generation.picture_links import place_of
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.several_pictures import MAX_INPUT_PICTURES, ONE_IS_USED, not_used
from services.drawing.looks import LookService, codes_of
from services.drawing.styles import StyleService
from services.drawing.workflows import WorkflowService
from services.engines.catalog import ENGINES, Catalog
from texts.text import _

SIZES = ("512x512", "512x768", "768x512", "640x640", "768x768", "1024x1024", "832x1216", "1216x832")
SHAPES = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "21:9")
SLASH_NAMES = ("imagine", "generate", "dream", "draw", "gen", "img")


def _suggester(names: str) -> Callable[..., Awaitable[None]]:
    """Return what suggests names of one of the engines' lists."""

    async def suggest_names(
        self: "ImageGeneration", interaction: nextcord.Interaction, typed: str, backend: str | None = None
    ) -> None:
        await self._suggest(interaction, names, typed, backend)

    return suggest_names


class ImageGeneration(commands.Cog):
    """The commands that make pictures. Everything else about a job is in `edit_controls` and `job_messages`."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        questions: Questions,
        workflows: WorkflowService,
        styles: StyleService,
        inputs: Inputs,
        looks: LookService,
    ) -> None:
        self._inputs = inputs
        self._catalog = catalog
        self._styles = styles
        self._looks = looks
        self._questions = questions
        self._workflows = workflows

    @prefix_command(name="dream", aliases=[name for name in SLASH_NAMES if name != "dream"])
    async def dream(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!dream a red fox --steps 30 --size 768x512`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        brought = await self._inputs.read(text, Asker.of_message(ctx))
        parsed = parse_prompt(brought.text, names_in(ctx.message), fetches_pictures=True, takes_several=True)
        replied = ctx.message.reference.resolved if ctx.message.reference else None
        pictures = pictures_in(ctx.message)
        if isinstance(replied, nextcord.Message) and (parsed.draft.workflow or not (pictures or brought.files)):
            replied = await whole(ctx.bot, replied)
            check_single_message(replied)
            pictures += pictures_in(replied)  # a workflow may take both
            if not (pictures or brought.link or parsed.pictures):
                brought = replace(brought, link=preview_in(replied))
        notes = unused_in(ctx.message, pictures)
        await self._questions.take_message(
            ctx, _order(parsed, pictures, brought, notes), private=parsed.is_private or None
        )

    @with_options
    async def generate(self, interaction: nextcord.Interaction, **given: Any) -> None:
        check_interaction_permissions(interaction)
        (prompt,) = said_at(Kind.PROMPT, given)
        names = await names_of_interaction(interaction, prompt, *said_at(Kind.WORDS, given))
        has_workflow = bool(said_at(Kind.WORKFLOW, given))
        brought = await self._inputs.read(prompt, Asker.of_interaction(interaction))
        parsed = parse_prompt(brought.text, names, has_workflow=has_workflow, fetches_pictures=True, takes_several=True)
        typed = draft_of_options(given, names)
        parsed = replace(
            parsed.under(typed, adds_loras=True),
            repeat=given["repeat"] or parsed.repeat,
        )
        is_private = parsed.is_private or given["private"]  # False: said so, whatever is always wanted
        pictures = [*said_at(Kind.PICTURE, given), *said_at(Kind.PICTURES, given)]
        order = replace(_order(parsed, pictures, brought), is_spoiler=parsed.is_spoiler or given["spoiler"])
        await self._questions.take_press(interaction, order, private=is_private)

    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, ENGINES, typed, None)

    async def suggest_style(self, interaction: nextcord.Interaction, typed: str, backend: str | None = None) -> None:
        """Easel's own styles first, then those that an engine has."""
        wanted = typed.casefold().strip()
        ours = [style for style in await self._styles.styles() if wanted in f"{style.id} {style.name}".casefold()]
        theirs = self._catalog.suggest("styles", typed, person_of(interaction), backend=backend)
        looks = await self._looks.looks(person_of(interaction))
        own = {look.name: look.name for look in looks if wanted in look.name.casefold()}
        await suggest(interaction, own | {style.name: style.id for style in ours} | dict(theirs))

    async def suggest_look(self, interaction: nextcord.Interaction, typed: str) -> None:
        wanted = typed.casefold().strip()
        pairs = codes_of(await self._looks.looks(person_of(interaction))).items()
        await suggest(interaction, {shown: code for shown, code in pairs if wanted in shown.casefold()})

    async def suggest_workflow(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed)

    async def suggest_options(self, interaction: nextcord.Interaction, typed: str, workflow: str | None = None) -> None:
        await suggest_options(self._workflows, interaction, typed, workflow)

    async def suggest_size(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest(interaction, [size for size in SIZES if typed.casefold() in size])

    async def suggest_negative(self, interaction: nextcord.Interaction, typed: str) -> None:
        """Offer the ready-made ones, behind what is typed already where both fit."""
        before = f"{typed.strip(' ,')}, " if typed.strip(" ,") else ""
        ready = {f"{name}: {before}{words}": f"{before}{words}" for name, words in READY.items()}
        await suggest(interaction, ready)

    async def suggest_shape(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest(interaction, [shape for shape in SHAPES if typed.strip() in shape])

    async def _suggest(self, interaction: nextcord.Interaction, what: str, typed: str, backend: str | None) -> None:
        pairs = self._catalog.suggest(what, typed, person_of(interaction), backend=backend)
        await suggest(interaction, dict(pairs))

    for _name in SLASH_NAMES:
        _command = nextcord.slash_command(name=_name, description=_("Make a picture from words"))(generate)
        for _field in FIELDS:
            if _field.slash and _field.names and _field.slash != "style":
                _command.on_autocomplete(_field.slash)(_suggester(_field.names))
        _command.on_autocomplete("backend")(suggest_backend)
        _command.on_autocomplete("style")(suggest_style)
        _command.on_autocomplete("look")(suggest_look)
        _command.on_autocomplete("workflow")(suggest_workflow)
        _command.on_autocomplete("options")(suggest_options)
        _command.on_autocomplete("size")(suggest_size)
        _command.on_autocomplete("ar")(suggest_shape)
        _command.on_autocomplete("negative")(suggest_negative)
        locals()[f"slash_{_name}"] = _command
    del _name, _command, _field


def _order(
    parsed: ParsedPrompt, attached: Sequence[nextcord.Attachment], brought: Brought, notes: tuple[str, ...] = ()
) -> Order:
    files = [*((address_of(picture), picture.filename) for picture in attached), *brought.files][:MAX_INPUT_PICTURES]
    links = [link for link in (brought.link, *parsed.pictures) if link]
    for link in links[0 if files else 1 :]:
        notes = (not_used(_("what lies at {place}", place=place_of(link)), ONE_IS_USED), *notes)
    return Order(
        kind=OrderKind.DRAW,
        draft=parsed.draft,
        others=parsed.others,
        fills=parsed.has_wildcards,
        is_spoiler=parsed.is_spoiler or None,
        notes=(*parsed.notes, *notes),
        repeat=parsed.repeat,
        files=tuple(address for address, __ in files),
        names=tuple(name for __, name in files),
        link=links[0] if links and not files else "",
    )
