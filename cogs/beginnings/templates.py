"""`/templates`: a prompt to begin with, Easel's own or one that somebody saved, in a form where it can be changed."""

from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import make_id
from cogs.decorators import prefix_command
from cogs.jobs.forms import SHAPES
from cogs.mentions import names_of_interaction
from cogs.origin import check_interaction_permissions, person_of
from cogs.plain import escape, suggest
from cogs.posting import reply_to
from cogs.presses import Press, Route
from cogs.questions import Questions
from cogs.wire.fields import TextField
from cogs.wire.forms import Form, filled_in, open_form
from constants import MAX_PROMPT_CHARS
from generation.chat_words import plain_words
from generation.errors import RequestRejected
from generation.order import Order, OrderKind
from generation.person import Person
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from lazy import dataclass
from services.library.starters import starters
from services.library.templates import TemplateService
from texts.text import _, joined
from utils.text import cut

ACTION: Final = "template"
FORM: Final = "-"  # where a job's id would stand
SUBJECT_CHARS: Final = 200
LINE_CHARS: Final = 80


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A prompt to change and draw."""

    id: str
    name: str
    prompt: str
    negative_prompt: str = ""
    aspect: str = ""


class Templates(commands.Cog):
    """Takes in what is sent with the form as an order like any other."""

    def __init__(self, *, templates: TemplateService, questions: Questions) -> None:
        self._templates = templates
        self._questions = questions

    @nextcord.slash_command(name="templates", description=_("Begin with a prompt that works: change it, then draw"))
    async def slash_templates(
        self,
        interaction: nextcord.Interaction,
        template: str = SlashOption(description=_("Which one; type to search"), required=True, max_length=100),
        subject: str = SlashOption(
            description=_("What it is to show, like: a heron"), required=False, max_length=SUBJECT_CHARS
        ),
    ) -> None:
        check_interaction_permissions(interaction)
        found = await self._find(person_of(interaction), template, subject or "")
        await open_form(interaction, template_form(found))

    @slash_templates.on_autocomplete("template")
    async def suggest_template(self, interaction: nextcord.Interaction, typed: str) -> None:
        known = await self._known(person_of(interaction), "")
        wanted = typed.casefold().strip()
        hits = [each for each in known if wanted in f"{each.name} {each.prompt}".casefold()]
        hits.sort(key=lambda each: wanted not in each.name.casefold())
        await suggest(interaction, {f"{each.name}: {cut(each.prompt, LINE_CHARS)}": each.id for each in hits})

    @prefix_command(name="templates", aliases=["template"])
    async def templates_by_prefix(self, ctx: commands.Context[Any]) -> None:
        """`!templates` lists them; the form opens with `/templates`."""
        names = joined(", ", [escape(each.name) for each in starters()])
        await reply_to(ctx, content=_("`/templates` opens one in a form: {names}.", names=names))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._filled, takes_forms=True),)

    async def _filled(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_interaction_permissions(interaction)
        typed = filled_in(interaction).texts()
        names = await names_of_interaction(interaction, *typed.values())
        parsed = parse_prompt(typed.get("prompt", ""), names, takes_several=True)
        beside = (
            parse_prompt(_("--ar {aspect}", aspect=aspect)).draft if (aspect := typed.get("aspect", "")) else Draft()
        )
        if negative := plain_words(typed.get("negative", ""), names)[0].strip():
            beside = replace(beside, negative_prompt=negative)
        if not (parsed.draft.prompt or parsed.draft.workflow):
            raise RequestRejected(_("The prompt is empty: write what you would like to see."), field="prompt")
        order = Order(
            kind=OrderKind.DRAW,
            draft=parsed.draft.over(beside),
            others=tuple(other.over(beside) for other in parsed.others),
            fills=parsed.has_wildcards,
            notes=parsed.notes,
            repeat=parsed.repeat,
            is_spoiler=parsed.is_spoiler or None,
        )
        await self._questions.take_press(interaction, order, private=parsed.is_private or None)

    async def _find(self, person: Person, wanted: str, subject: str) -> Beginning:
        """Return the one that was chosen, or typed by its name."""
        known = await self._known(person, subject)
        for each in known:
            if wanted.casefold().strip() in (each.id.casefold(), each.name.casefold()):
                if not any(each.id == own.id for own in starters()):
                    await self._templates.use(person, each.id)
                return each
        raise RequestRejected(
            _("There is no template “{name}”.", name=wanted[:60]),
            field="template",
            hint=_("Choose one of the list that appears while you type."),
        )

    async def _known(self, person: Person, subject: str) -> list[Beginning]:
        """Return people's own, those that others share, and Easel's."""
        saved = [
            Beginning(id=each.id, name=each.name, prompt=each.prompt, negative_prompt=each.negative_prompt)
            for each in await self._templates.templates(person)
        ]
        if subject.strip():
            saved = [replace(each, prompt=each.prompt.replace("{subject}", subject.strip())) for each in saved]
        ours = [
            Beginning(
                id=each.id,
                name=each.name,
                prompt=each.words(subject),
                negative_prompt=each.negative_prompt,
                aspect=each.aspect,
            )
            for each in starters()
        ]
        return [*saved, *ours]


def template_form(found: Beginning) -> Form:
    """Prompt, negative prompt and shape, filled with those of a template."""
    fields = (
        TextField(name="prompt", label=_("Prompt"), value=found.prompt, is_long=True, limit=MAX_PROMPT_CHARS),
        TextField(
            name="negative",
            label=_("Leave out"),
            value=found.negative_prompt,
            is_long=True,
            limit=MAX_PROMPT_CHARS,
            is_required=False,
        ),
        TextField(
            name="aspect",
            label=_("Shape"),
            note=_("Like {shapes}; empty: as usual.", shapes=", ".join(list(SHAPES)[:4])),
            value=found.aspect,
            limit=12,
            is_required=False,
        ),
    )
    return Form(title=found.name, custom_id=make_id(ACTION, FORM), fields=fields)
