"""`/sdmodels`, `/models`, `!list_models`: what the engines have, list by list, numbered, 25 a page."""

from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, Choice, Menu, Row, check_stands_in, to_view
from cogs.decorators import prefix_command
from cogs.origin import person_of, person_of_message
from cogs.plain import code, escape, sentence
from cogs.presses import Press, Route
from cogs.waiting import answer
from generation.errors import RequestRejected
from generation.person import Person
from services.engines.catalog import Catalog, Engine, NameList, lists_of
from services.engines.connections import usage
from texts.text import _, joined
from utils.text import cut

PAGE = 25
NAME_CHARS = 68  # 25 of them, numbered, fit one message
MAX_OTHERS = 5
USE = {
    "models": "`--model NAME`", "loras": "`--lora NAME`", "vaes": "`--vae NAME`", "upscalers": "`--upscaler NAME`",
    "samplers": "`--sampler NAME`", "schedulers": "`--scheduler NAME`", "styles": "`--style NAME`",
    "controls": "`/control`", "embeddings": _("its name in the prompt"),
}  # fmt: skip
ACTION: Final = "models"


class Models(commands.Cog):
    """Lists are fetched again each time they are asked for."""

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    async def models(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        card = await self._first_page(person_of(interaction))
        await interaction.edit_original_message(content=card.content, view=to_view(card.rows))

    for _name in ("sdmodels", "models"):
        locals()[f"slash_{_name}"] = nextcord.slash_command(name=_name, description=_("List the models you can use"))(
            models
        )
    del _name

    @prefix_command(name="list_models", aliases=["models", "sdmodels"])
    async def list_models(self, ctx: commands.Context[Any]) -> None:
        await answer(ctx, self._first_page(person_of_message(ctx)))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._turn),)

    async def _turn(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, ACTION)
        person = person_of(interaction)
        engines, engine = self._catalog.engines(person), self._catalog.engine(press.job_id, person)
        if engine is None:
            raise RequestRejected(_("That engine is no longer connected."))
        card = _page(engine, engines, (*press.values, press.argument)[0])
        await interaction.response.edit_message(content=card.content, view=to_view(card.rows))

    async def _first_page(self, person: Person) -> Card:
        await self._catalog.refresh(person)
        engines = self._catalog.engines(person)
        if all(engine.is_fallback for engine in engines):
            return Card(content=_none_connected(", ".join(escape(engine.label) for engine in engines)))
        return _page(engines[0], engines, "0")


def _none_connected(own: str) -> str:
    """Return what draws while no AI model is connected, and how one is."""
    if not own:
        return _("No AI model is connected. Admins: `/setup start`. You have a GPU? `{usage}`", usage=usage())
    return _(
        "Pictures are drawn by Easel's own {own} for now: no AI model is connected. Admins: `/setup start`. "
        "You have a GPU? `{usage}`",
        own=own,
        usage=usage(),
    )


def _page(engine: Engine, engines: list[Engine], place: str) -> Card:
    """Draw one page of one list; `place` is "vaes.2" (from 0), or a number alone for the models."""
    lists = {entry.key: entry for entry in lists_of(engine.capabilities)} if engine.capabilities else {}
    key, __, number = place.rpartition(".")
    shown = lists.get(key or "models")
    label = escape(engine.label)
    head = _("**Available Models** · {label}", label=label)
    rows: list[Row] = []
    if engine.capabilities is None:
        content = f"{head}\n✖ {sentence(engine.error or _('It has not answered yet.'))}"
    elif shown is None:
        content = _("{head}\nThis engine has no models: there is nothing to choose from.", head=head)
    else:
        if shown.key != "models":
            head = _("**{title:capital}** · {label}", title=shown.title, label=label)
        pages = -(-len(shown.names) // PAGE)
        page = max(0, min(int(number) if number.isdecimal() else 0, pages - 1))
        content = f"{head}\n{_numbered(shown, page)}{_foot(shown.key, page, pages)}"
        rows += [_turn(engine.name, shown.key, page, pages)] if pages > 1 else []
    if len(lists) > 1 or (lists and shown is None):
        rows.append(_menu(engine.name, key or "models", lists))
    others = [other for other in engines if other.name != engine.name][:MAX_OTHERS]
    if others:
        rows.append(tuple(_button(other.name, cut(other.label, 20), "0") for other in others))
    return Card(content=cut(content, 2000), rows=tuple(rows))


def _numbered(shown: NameList, page: int) -> str:
    names = enumerate(shown.names[page * PAGE : (page + 1) * PAGE], start=page * PAGE + 1)
    return joined("\n", (f"{n}. `{code(name, NAME_CHARS)}`{_marks(shown, name)}" for n, name in names))


def _marks(shown: NameList, name: str) -> str:
    licence = shown.licences.get(name, "")
    return f"{' ●' if name in shown.loaded else ''}{f' · {escape(licence)}' if licence else ''}"


def _foot(key: str, page: int, pages: int) -> str:
    parts = [_("● loaded now")] if key == "models" else []
    parts += [_("use one with {use}", use=USE[key])] if key in USE else []
    parts += [_("page {page} of {pages}", page=page + 1, pages=pages)] if pages > 1 else []
    return f"\n-# {' · '.join(parts)}" if parts else ""


def _turn(lane: str, key: str, page: int, pages: int) -> tuple[Button, ...]:
    return (
        _button(lane, "Back", f"{key}.{page - 1}", is_disabled=page == 0),
        _button(lane, "Next", f"{key}.{page + 1}", is_disabled=page == pages - 1),
    )


def _menu(lane: str, shown: str, lists: dict[str, NameList]) -> Menu:
    choices = tuple(
        Choice(label=f"{entry.title} ({len(entry.names)})", value=f"{entry.key}.0", is_default=entry.key == shown)
        for entry in lists.values()
    )
    return Menu(action=ACTION, job_id=lane, placeholder=_("What else it has"), choices=choices)


def _button(lane: str, label: str, place: str, *, is_disabled: bool = False) -> Button:
    return Button(action=ACTION, job_id=lane, label=label, argument=place, is_disabled=is_disabled)
