"""People's own workflows: analysed by an engine that runs them, kept by name, corrected, found again for a job.

A workflow belongs to a person, a server, or everybody here (kind "easel"). What a name stands for may change; a job
names the version it was made with.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Final

from backends.base import ReadWorkflow, WorkflowBackend
from backends.registry import EASEL, BackendRegistry, Entry
from backends.registry import Owner as Owner
from generation.capabilities import Fit, Refused, fit_workflow
from generation.errors import BackendError, CapabilityError, GenerationError, LimitReached, RequestRejected
from generation.options import as_checked
from generation.person import Person
from generation.replaced_options import routed
from generation.request import Draft, GenerationRequest, Mode, WorkflowRef
from generation.resolve import resolve_for
from generation.samplers import match_name
from generation.workflow_options import WorkflowOption, faults
from lazy import dataclass
from store.workflows import StoredWorkflow as StoredWorkflow
from store.workflows import WorkflowStore, WorkflowVersion
from texts.text import _, joined, phrase
from utils.clock import Clock
from utils.text import cut

log = logging.getLogger(__name__)

MAX_WORKFLOW_BYTES: Final = 2 * 1024 * 1024
MAX_WORKFLOWS: Final = 50  # of one owner
MAX_NAME_CHARS: Final = 60
AS_IT_IS: Final = GenerationRequest(prompt="", width=512, height=512, steps=20, cfg_scale=7.0, seed=0)
NO_ENGINE: Final = _("No engine here runs workflows: that takes ComfyUI.")


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """An upload as `engine` (a label) reads it: as lines for people, and as JSON to keep."""

    kind: str
    engine: str
    graph: str = field(repr=False)
    mapping: str = field(repr=False)
    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()  # what the engine lacks and a request can say otherwise


class WorkflowService:
    """Everything doors do with workflows. Who may act for which owner is for the door to know."""

    def __init__(self, registry: BackendRegistry, store: WorkflowStore, clock: Clock) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock

    async def analyse(self, content: bytes, person: Person) -> Analysed:
        """Find out what a file is for, on the first engine of this person that can run it; one with all its files wins.

        Raises:
            RequestRejected: it is no workflow that can be run; a hint says what would be.
            CapabilityError: no engine has all its nodes; they are named.
            BackendError: the only engine does not answer.
        """
        if len(content) > MAX_WORKFLOW_BYTES:
            size, most = len(content) / 2**20, MAX_WORKFLOW_BYTES // 2**20
            raise RequestRejected(
                _("That file has {size:.1f} MB; a workflow has at most {most} MB.", size=size, most=most),
                field="workflow",
            )
        refusals: list[tuple[str, GenerationError]] = []
        nearest: Analysed | None = None
        for entry in await self._engines(person):
            try:
                async with self._registry.borrow(entry.name) as backend:
                    if not isinstance(backend, WorkflowBackend):
                        continue
                    read = await backend.read_workflow(content)
            except (CapabilityError, BackendError) as error:
                refusals.append((entry.label, error))
                continue
            found = _analysed(read, entry.config.kind, entry.label)
            if not found.problems:
                return found
            nearest = nearest or found
        if nearest:
            return nearest
        if not refusals:
            raise CapabilityError(NO_ENGINE, hint=_("Connect a ComfyUI first."))
        if len(refusals) == 1:
            raise refusals[0][1]
        reasons = joined(
            "; ", (_("{label}: {reason:phrase}", label=label, reason=error.user_message) for label, error in refusals)
        )
        raise CapabilityError(
            _("No engine here can run this workflow. {reasons}.", reasons=reasons), hint=refusals[0][1].hint
        )

    async def save(self, analysed: Analysed, name: str, owner: Owner = EASEL) -> StoredWorkflow:
        """Keep it by name, in place of what the owner had by that name.

        Raises:
            RequestRejected: the name cannot be used.
            LimitReached: the owner has as many as are kept.
        """
        name = _clean(name)
        names = {item.name.casefold() for item in await self._store.of(owner.kind, owner.id)}
        if len(names) >= MAX_WORKFLOWS and name.casefold() not in names:
            raise LimitReached(
                _("{most} workflows are kept, the maximum.", most=MAX_WORKFLOWS),
                hint=_("Delete one first."),
            )
        version = WorkflowVersion(
            kind=analysed.kind, graph=analysed.graph, mapping=analysed.mapping, lines=analysed.lines
        )
        await self._store.save(owner.kind, owner.id, name, version, self._clock.now())
        return await self._of(name, owner)

    async def list(self, person: Person) -> tuple[StoredWorkflow, ...]:
        """Return what this person may draw with here: their own, the server's, then everybody's."""
        guild = [Owner(kind="guild", id=person.guild_id)] if person.guild_id else []
        owners = [Owner.of(person), *guild, EASEL]
        found = [await self._store.of(owner.kind, owner.id) for owner in owners]
        return tuple(item for of_owner in found for item in of_owner)

    async def get(self, name: str, person: Person) -> StoredWorkflow:
        """Find one by its name, or by a part of it; your own before the server's.

        Raises:
            RequestRejected: there is none; what there is is named.
        """
        return _find(name, await self.list(person))

    async def correct(self, name: str, field: str, place: str, owner: Owner = EASEL) -> StoredWorkflow:
        """Set by hand where a value goes: `place` is "node.input", several with commas between, or "none".

        The field "option NAME" makes an input an option of its own; its place may end in "--range 0..2".

        Raises:
            RequestRejected: there is no such workflow, value, node or input.
        """
        stored = await self._of(name, owner)
        workflow = await self.load(WorkflowRef(name=stored.name, id=stored.version))
        kept = Analysed(kind=stored.kind, engine="", graph=workflow.graph, mapping=workflow.mapping, lines=stored.lines)
        return await self.save(await self.adjust(kept, {field: place}), stored.name, owner)

    async def adjust(self, analysed: Analysed, changes: Mapping[str, str]) -> Analysed:
        """Set by hand where several values go, by their fields; written as in `correct`. Nothing is kept yet.

        Raises:
            RequestRejected: there is no such value, node or input.
        """
        for entry in sorted(self._registry, key=lambda entry: entry.error is not None):
            if entry.config.kind == analysed.kind and isinstance(entry.backend, WorkflowBackend):
                for field_name, place in changes.items():
                    workflow = WorkflowRef(name="", graph=analysed.graph, mapping=analysed.mapping)
                    read = await entry.backend.correct_workflow(workflow, field_name, place)
                    analysed = _analysed(read, analysed.kind, entry.label)
                return analysed
        raise CapabilityError(NO_ENGINE, hint=_("Connect a ComfyUI first."))

    async def delete(self, name: str, owner: Owner = EASEL) -> StoredWorkflow:
        """Forget a name; pictures made with it can still be made again.

        Raises:
            RequestRejected: the owner has none of that name.
        """
        stored = _find(name, await self._store.of(owner.kind, owner.id), is_exact=True)
        await self._store.delete(owner.kind, owner.id, stored.name)
        return stored

    async def resolve(self, workflow: WorkflowRef, person: Person) -> WorkflowRef:
        """Return the version a request is to be drawn with, loaded; from now on it is kept.

        Raises:
            RequestRejected: there is none of that name.
        """
        if not workflow.id:
            stored = await self.get(workflow.name, person)
            workflow = WorkflowRef(name=stored.name, id=stored.version)
        if not await self._store.use(workflow.id, self._clock.now()):
            raise _gone(workflow)
        return await self.load(workflow)

    async def load(self, workflow: WorkflowRef) -> WorkflowRef:
        """Return a version with its content.

        Raises:
            RequestRejected: it is gone.
        """
        version = await self._store.version(workflow.id)
        if version is None:
            raise _gone(workflow)
        return replace(workflow, graph=version.graph, mapping=version.mapping)

    async def fit(self, draft: Draft, entry: Entry) -> Fit | Refused:
        """Return how a draft with a loaded workflow is drawn on one engine, or why it cannot be.

        Raises:
            RequestRejected: a value out of its range.
        """
        workflow, backend = draft.workflow, entry.backend
        is_able = entry.capabilities is not None and entry.capabilities.supports_workflows
        if workflow is None or not is_able or not isinstance(backend, WorkflowBackend):
            return Refused(reasons=(_("it runs no workflows"),))
        try:
            can = await backend.workflow_capabilities(workflow)
        except (CapabilityError, BackendError) as error:
            return Refused(reasons=(phrase(error.user_message),))
        draft = routed(draft, can.options)
        if wrong := faults(draft.options, can.options):
            raise RequestRejected(f"{wrong[0]}.", field="options")
        named = replace(draft, workflow=WorkflowRef(name=workflow.name, id=workflow.id))
        request = resolve_for(as_checked(named, draft), can)
        if request.mode not in can.modes and (fault := _no_place_for(request.mode, can.modes)):
            return Refused(reasons=(_("the workflow “{name}” {fault}", name=workflow.name, fault=fault),))
        fitted = fit_workflow(request, can)
        if isinstance(fitted, Refused):
            return fitted
        try:
            remarks = await backend.look_over(workflow, fitted.request)
        except (CapabilityError, BackendError) as error:
            return Refused(reasons=(phrase(error.user_message),))
        request = fitted.request
        if any(option.name == "strength" for option in can.options):  # nobody's but the workflow's
            request = replace(request, denoising_strength=None)
        return replace(fitted, request=request, notes=(*fitted.notes, *remarks))

    async def options(self, workflow: WorkflowRef, person: Person) -> tuple[WorkflowOption, ...]:
        """Return the options of a loaded workflow, as the first engine tells them that can run it; none if none can."""
        for entry in await self._engines(person):
            if isinstance(entry.backend, WorkflowBackend):
                with suppress(CapabilityError, BackendError):
                    return (await entry.backend.workflow_capabilities(workflow)).options
        return ()

    async def lacking(self, stored: StoredWorkflow, person: Person) -> tuple[str, ...]:
        """Return what is lacking for one now, as `problems`."""
        return await self.problems(await self.load(WorkflowRef(name=stored.name, id=stored.version)), person)

    async def problems(self, workflow: WorkflowRef, person: Person) -> tuple[str, ...]:
        """Return what is lacking for a loaded workflow as it is on the first engine, nothing where one can draw it."""
        found: tuple[str, ...] = ()
        for entry in await self._engines(person):
            if not isinstance(entry.backend, WorkflowBackend):
                continue
            try:
                await entry.backend.look_over(workflow, AS_IT_IS)
                return ()
            except CapabilityError as error:
                found = found or (error.user_message,)
            except BackendError as error:
                log.info("a workflow could not be looked over", extra={"backend": entry.name, "code": error.code})
        return found

    async def copy_from(self, other: "WorkflowService") -> None:
        """Take over what is everybody's there: for a store that lasts for one run."""
        for stored in await other._store.of(EASEL.kind, EASEL.id):
            if version := await other._store.version(stored.version):
                await self._store.save(EASEL.kind, EASEL.id, stored.name, version, self._clock.now())

    async def _engines(self, person: Person) -> Sequence[Entry]:
        entries = [e for e in self._registry.visible(person) if isinstance(e.backend, WorkflowBackend)]
        await self._registry.ready(entries)
        able = [e for e in entries if e.capabilities is None or e.capabilities.supports_workflows]
        return sorted(able, key=lambda entry: entry.error is not None)

    async def _of(self, name: str, owner: Owner) -> StoredWorkflow:
        return _find(name, await self._store.of(owner.kind, owner.id))


def _analysed(read: ReadWorkflow, kind: str, engine: str) -> Analysed:
    return Analysed(
        kind=kind, engine=engine, graph=read.graph, mapping=read.mapping, lines=read.lines, problems=read.problems
    )


def _clean(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARS or not cleaned.isprintable() or not any(map(str.isalnum, cleaned)):
        shown = "".join(sign for sign in cleaned[:MAX_NAME_CHARS] if sign.isprintable())
        raise RequestRejected(
            _(
                "A workflow cannot be called “{shown}”. Allowed: 1 to {most} characters, letters among them.",
                shown=shown,
                most=MAX_NAME_CHARS,
            ),
            field="name",
            hint=_("For example: portrait"),
        )
    return cleaned


def _no_place_for(mode: Mode, modes: frozenset[Mode]) -> str:
    """Return what a workflow lacks that cannot draw in this mode, empty where it is no picture and no mask."""
    if mode is Mode.TXT2IMG:
        return _("needs a picture to start from: attach one")
    if Mode.IMG2IMG not in modes and mode in {Mode.IMG2IMG, Mode.INPAINT}:
        return _("has no place for a picture: draw without one")
    return _("has no place for a mask: draw without one") if mode is Mode.INPAINT else ""


def _find(name: str, there: Sequence[StoredWorkflow], *, is_exact: bool = False) -> StoredWorkflow:
    wanted = " ".join(name.split()).casefold()
    for item in there:
        if item.name.casefold() == wanted:
            return item
    near = None if is_exact else match_name(name, [item.name for item in there])
    if near is None:
        names = ", ".join(dict.fromkeys(item.name for item in there))
        raise RequestRejected(
            _("There is no workflow “{name}” here. ", name=cut(name, MAX_NAME_CHARS))
            + (_("Available: {names}.", names=cut(names, 500)) if names else _("None has been added yet.")),
            field="workflow",
        )
    return next(item for item in there if item.name == near)


def _gone(workflow: WorkflowRef) -> RequestRejected:
    return RequestRejected(
        _("The workflow “{name}” is no longer kept.", name=workflow.name),
        field="workflow",
        hint=_("Add it again, or draw without it."),
    )
