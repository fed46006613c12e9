"""Buttons, menus and modals under a picture: one listener, static ids, everything looked up in the store.

A press that asks for a picture goes to the desk, which stores it and answers with "thinking"; what is quick is done
first and answered then. Anyone who sees a picture where it stands may make something new from it, and it is theirs;
only its owner and moderators may cancel or delete it (`generation.policy`: an id may be forged).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.cards import Card, check_stands_in, to_view
from cogs.desk import Desk
from cogs.jobs import forms
from cogs.jobs.info import seed_of
from cogs.jobs.messages import JobMessages
from cogs.mentions import names_of_interaction
from cogs.origin import check_interaction_permissions, person_of
from cogs.presses import Press, Route
from cogs.wire.forms import filled_in, open_form
from generation.deeds import Deed
from generation.errors import RequestRejected
from generation.job import Job, JobStatus
from generation.order import Order, OrderKind
from generation.person import Person
from generation.policy import check_change
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from services.drawing.continuing import ENGINES_OWN
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog, Engine
from texts.text import _
from utils.text import duration

log = logging.getLogger(__name__)

Handler = Callable[[nextcord.Interaction, Job, str], Awaitable[None]]


class EditControls(commands.Cog):
    """Everything people press under a job's message."""

    def __init__(
        self,
        *,
        service: GenerationService,
        catalog: Catalog,
        messages: JobMessages,
        desk: Desk,
    ) -> None:
        self._service = service
        self._catalog = catalog
        self._messages = messages
        self._desk = desk
        self._handlers: dict[str, Handler] = {
            "reroll": self._reroll,
            "edit": self._open_edit,
            "edited": self._edited,
            "steps": self._more_steps,
            "smaller": self._smaller,
            "size": self._open_size,
            "sized": self._sized,
            "sampler": self._open_menu,
            "model": self._open_menu,
            "page": self._turn_page,
            "choose": self._chosen,
            "flux": self._flux,
            "cancel": self._cancel,
            "wait": self._wait,
        }

    def routes(self) -> tuple[Route, ...]:
        return tuple(Route(action=action, handle=self._press, takes_forms=True) for action in self._handlers)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        job = await self._service.visible(press.job_id, person_of(interaction))
        argument = press.action if press.action in ("sampler", "model") else press.argument
        await self._handlers[press.action](interaction, job, argument)

    # -- new pictures --------------------------------------------------------------------------------------------

    async def _reroll(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        await self._again(interaction, job, Draft(), Deed.AGAIN)

    async def _more_steps(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        await self._again(
            interaction, job, Draft(steps=forms.more_steps(job.drawn.steps), seed=seed_of(job)), Deed.STEPS
        )

    async def _smaller(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        await self._again(interaction, job, forms.smaller(job.settled), Deed.SMALLER)

    async def _flux(self, interaction: nextcord.Interaction, job: Job, wanted: str) -> None:
        other = self._messages.other_engine(job, person_of(interaction), wanted)
        if other is None:
            raise RequestRejected(
                _("There is no other engine here to draw this on."),
                hint=_("`/sdconnect` adds one, `/queue` lists them."),
            )
        # another engine has its own models and samplers; the words, the shape and the seed go along
        changes = Draft(backend=other.name, seed=seed_of(job))
        # your own job that waits for an engine that is down goes there instead
        replaces = job.user_key == person_of(interaction).user_key and job.status is JobStatus.QUEUED
        await self._again(interaction, job, changes, Deed.ENGINE, drop=ENGINES_OWN, replaces=replaces)

    async def _edited(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        person = person_of(interaction)
        _check_edit(person, job)
        typed = filled_in(interaction).texts()
        names = await names_of_interaction(interaction, *typed.values())
        before = (await self._service.drawn(job)).request
        changes = forms.read_edit(typed, before, names)
        # your own job that is still under way is replaced
        replaces = job.user_key == person.user_key and not job.is_terminal
        parsed = parse_prompt(typed.get("prompt", ""), names, has_workflow=before.workflow is not None)
        fills = parsed.has_wildcards
        await self._again(interaction, job, changes, Deed.REMIX, replaces=replaces, notes=parsed.notes, fills=fills)

    async def _sized(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        size = forms.read_size(filled_in(interaction).texts(), job.settled)
        await self._again(interaction, job, replace(size, seed=seed_of(job)), Deed.SIZE)

    async def _chosen(self, interaction: nextcord.Interaction, job: Job, what: str) -> None:
        """A model or sampler was picked from a menu that may be old: the list is read again."""
        data: Any = interaction.data
        engine = self._engine(interaction, job)
        names = {forms.choice_value(name): name for name in _names(what, engine)}
        name = names.get(data["values"][0])
        if name is None:
            raise RequestRejected(_("That one is no longer there. Please open the list again."), field=what)
        changes = Draft(model=name) if what == "model" else Draft(sampler=name)
        changes = replace(changes, seed=seed_of(job), backend=engine.name if engine else job.lane)
        is_other = engine is not None and engine.name != job.lane
        deed = Deed.MODEL if what == "model" else Deed.SAMPLER
        await self._again(interaction, job, changes, deed, drop=ENGINES_OWN if is_other else ())

    async def _again(
        self,
        interaction: nextcord.Interaction,
        job: Job,
        changes: Draft,
        deed: Deed,
        *,
        drop: tuple[str, ...] = (),
        replaces: bool = False,
        notes: tuple[str, ...] = (),
        fills: bool = False,
    ) -> None:
        """Answer with a new message and run the job once more with `changes`; the result is the presser's."""
        check_interaction_permissions(interaction)
        order = Order(kind=OrderKind.AGAIN, draft=changes, notes=notes, job_id=job.id, drop=drop, replaces=replaces)
        order = replace(order, fills=fills)
        await self._desk.take_press(interaction, order, private=job.origin.private or None, deed=deed)

    # -- forms and menus -----------------------------------------------------------------------------------------

    async def _open_edit(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        await self.open_edit(interaction, job)

    async def open_edit(self, interaction: nextcord.Interaction, job: Job) -> None:
        """Answer with the form of a picture's words and options.

        Raises:
            NotAllowed: it still waits or is drawn, and is somebody else's.
        """
        _check_edit(person_of(interaction), job)
        form = forms.edit_form(job.id, (await self._service.drawn(job)).request)
        await open_form(interaction, form)

    async def _open_size(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        await open_form(interaction, forms.size_form(job))

    async def _open_menu(self, interaction: nextcord.Interaction, job: Job, what: str) -> None:
        card = self._menu(what, job, self._engine(interaction, job), 0)
        view = to_view(card.rows)
        assert view is not None, "a menu has rows"
        await interaction.response.send_message(card.content, view=view, ephemeral=True)

    async def _turn_page(self, interaction: nextcord.Interaction, job: Job, argument: str) -> None:
        check_stands_in(interaction.message, "page")
        what, __, page = argument.partition("-")
        card = self._menu(what, job, self._engine(interaction, job), int(page))
        await interaction.response.edit_message(content=card.content, view=to_view(card.rows))

    def _menu(self, what: str, job: Job, engine: Engine | None, page: int) -> Card:
        names = _names(what, engine)
        if not names:
            label = engine.label if engine else self._service.label(job.lane)
            raise RequestRejected(_("{label} has no {what}s to choose from.", label=label, what=what), field=what)
        current = job.drawn.model if what == "model" else job.drawn.sampler
        return forms.menu(what, job.id, names, current, page)

    def _engine(self, interaction: nextcord.Interaction, job: Job) -> Engine | None:
        """Return the engine a picture was drawn on, or another one where that one is not for who presses."""
        person = person_of(interaction)
        return self._catalog.engine(job.lane, person) or next(iter(self._catalog.engines(person)), None)

    # -- the job itself ------------------------------------------------------------------------------------------

    async def _wait(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        view = await self._service.view(job.id)
        if view is None or view.job.is_terminal:
            text = _("It had already ended.")
        elif view.away is not None:
            patience = duration(view.away.patience_s)
            text = _("It waits: its place is kept for {patience}, and it is drawn by itself.", patience=patience)
        else:
            text = _("It waits: it is drawn by itself as soon as the engine answers.")
        await interaction.response.send_message(text, ephemeral=True)

    async def _cancel(self, interaction: nextcord.Interaction, job: Job, __: str) -> None:
        check_change(person_of(interaction), job, "cancel")
        cancelled = await self._service.cancel(job.id, person_of(interaction))
        await interaction.response.defer()
        if cancelled is None:
            await interaction.followup.send(_("It had already ended."), ephemeral=True)


def _check_edit(person: Person, job: Job) -> None:
    """Let everybody remix what has ended, into a picture of their own; what still waits or runs is its owner's."""
    if not job.is_terminal:
        check_change(person, job, "edit")


def _names(what: str, engine: Engine | None) -> list[str]:
    capabilities = engine.capabilities if engine else None
    if capabilities is None:
        return []
    if what == "model":
        return [model.name for model in capabilities.models or ()]
    return list(capabilities.samplers or ())
