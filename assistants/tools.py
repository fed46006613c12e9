"""The tools of an assistant: eight, and one for each saved workflow."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from zlib import crc32

from assistants.answers import Answers, ToolAnswer
from assistants.drawing import AssistantDrawing, Report, origin_of
from assistants.forms import (
    CancelForm,
    DescribeForm,
    DrawForm,
    EditForm,
    JobForm,
    NoForm,
    Ordered,
    ParseForm,
    PicturesForm,
    ToolForm,
    WorkflowForm,
)
from generation.errors import GenerationError, RequestRejected
from generation.job import JobView
from generation.person import Person
from generation.prompt_syntax import parse_prompt
from generation.request import WorkflowRef
from generation.workflow_options import CHOICE, FLAG, NUMBER, WHOLE, WorkflowOption
from lazy import dataclass, pattern
from services.assistants import AssistantServices
from services.bundle import Services
from services.drawing.workflows import StoredWorkflow
from services.engines.catalog import Engine
from texts.text import _, render

log = logging.getLogger(__name__)

Call = Callable[[Person, Any, Report], Awaitable[ToolAnswer]]
WORKFLOW_PREFIX: Final = "workflow_"
MOST_NAME_CHARS: Final = 46  # of a workflow, in the name of its tool
MOST_MODELS: Final = 50  # of an engine, named to an assistant
KINDS: Final = {WHOLE: "integer", NUMBER: "number", FLAG: "boolean"}
_NO_NAME: Final = pattern(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class AssistantTool:
    """A tool. `draws`: its answer may be a task."""

    name: str
    title: str
    meaning: str
    form: type[ToolForm]
    scope: str
    call: Call
    draws: bool = False
    schema: dict[str, Any] | None = None  # in place of the form's own

    @property
    def input_schema(self) -> dict[str, Any]:
        return self.schema or self.form.schema_of()


class Tools:
    """Everything an assistant can ask for."""

    def __init__(self, services: Services, own: AssistantServices) -> None:
        self._services = services
        self.answers = Answers(services.generation, services.media, own)
        self.drawing = AssistantDrawing(services, own, self.answers)
        self._fixed = {tool.name: tool for tool in self._make()}

    def _make(self) -> list[AssistantTool]:
        return [
            AssistantTool(
                name="draw", title=_("Draw a picture"), form=DrawForm, scope="generate", call=self._draw, draws=True,
                meaning=_("Draw a picture of words. Returns it, or after wait_s a job_id to ask `job` for."),
            ),
            AssistantTool(
                name="edit", title=_("Change a picture"), form=EditForm, scope="generate", call=self._edit, draws=True,
                meaning=_("Draw from a picture: change it by words, redraw what a mask shows, or enlarge it."),
            ),
            AssistantTool(
                name="job", title=_("Look at a job"), form=JobForm, scope="read", call=self._job,
                meaning=_("Return how a job stands, and its pictures when it is done."),
            ),
            AssistantTool(
                name="cancel", title=_("Cancel a job"), form=CancelForm, scope="generate", call=self._cancel,
                meaning=_("Cancel a job that waits or runs."),
            ),
            AssistantTool(
                name="pictures", title=_("List pictures"), form=PicturesForm, scope="read", call=self._pictures,
                meaning=_("List the newest jobs of who asks, with the ids and links of their pictures."),
            ),
            AssistantTool(
                name="engines", title=_("List engines"), form=NoForm, scope="read", call=self._engines,
                meaning=_("List the engines, what each can do, and its models."),
            ),
            AssistantTool(
                name="parse", title=_("Read a prompt"), form=ParseForm, scope="read", call=self._parse,
                meaning=_("Return what a prompt with options says, like: a fox --ar 3:2 --steps 30. Draws nothing."),
            ),
            AssistantTool(
                name="describe", title=_("Describe a picture"), form=DescribeForm, scope="generate",
                call=self._describe,
                meaning=_("Return in words what a picture shows, where an engine can tell."),
            ),
        ]  # fmt: skip

    async def offered(self, person: Person) -> list[AssistantTool]:
        """Return the tools that this person may use."""
        tools = [tool for tool in self._fixed.values() if person.may(tool.scope)]
        return tools + (await self._workflows(person) if person.may("generate") else [])

    async def find(self, name: str, person: Person) -> AssistantTool | None:
        """Return a tool by its name, whether this person may use it or not."""
        if not name.startswith(WORKFLOW_PREFIX):
            return self._fixed.get(name)
        return next((tool for tool in await self._workflows(person) if tool.name == name), None)

    async def view(self, job_id: str, person: Person) -> JobView:
        """Return how a job stands.

        Raises:
            RequestRejected: there is none for this person.
        """
        return self._services.generation.peek(await self._services.generation.visible(job_id, person))

    async def cancel(self, job_id: str, person: Person) -> None:
        """Cancel a job that waits or runs; one that has ended stays as it is."""
        await self._services.generation.cancel(job_id, person)

    async def _workflows(self, person: Person) -> list[AssistantTool]:
        found: dict[str, AssistantTool] = {}
        seen: set[str] = set()
        for stored in await self._services.workflows.list(person):
            if (folded := stored.name.casefold()) in seen:
                continue  # your own come first
            seen.add(folded)
            name = _tool_name(folded)
            name = name if name not in found else f"{name}_{crc32(folded.encode()):08x}"
            found[name] = self._workflow(name, stored.name, stored.lines, await self._options(stored, person))
        return list(found.values())

    async def _options(self, stored: StoredWorkflow, person: Person) -> tuple[WorkflowOption, ...]:
        """Return the options of a workflow; one that cannot be read now has none, and hides no other tool."""
        workflows = self._services.workflows
        try:
            loaded = await workflows.load(WorkflowRef(name=stored.name, id=stored.version))
            return await workflows.options(loaded, person)
        except GenerationError as error:
            log.info("a workflow has no options now", extra={"action": "mcp_workflow", "code": error.code})
            return ()

    def _workflow(
        self, name: str, title: str, lines: tuple[str, ...], options: tuple[WorkflowOption, ...]
    ) -> AssistantTool:
        fields = WorkflowForm.schema_of()["properties"]
        own = {option.name: _option_schema(option) for option in options if option.name not in fields}
        schema = {"type": "object", "properties": fields | own, "additionalProperties": False}

        async def call(person: Person, form: WorkflowForm, report: Report) -> ToolAnswer:
            given = form.model_extra or {}
            if unknown := next((key for key in given if key not in own), None):
                raise RequestRejected(
                    _("{field}: there is no such field here.", field=unknown[:60]), field=unknown[:60]
                )
            return await self._waited(await self.drawing.run_workflow(person, title, form, given), form, report)

        meaning = _("Draw by the workflow “{title}”. {lines}", title=title, lines=" ".join(lines))
        return AssistantTool(
            name=name, title=title, meaning=meaning, form=WorkflowForm, scope="generate", call=call, draws=True,
            schema=schema,
        )  # fmt: skip

    async def _draw(self, person: Person, form: DrawForm, report: Report) -> ToolAnswer:
        return await self._waited(await self.drawing.draw(person, form), form, report)

    async def _edit(self, person: Person, form: EditForm, report: Report) -> ToolAnswer:
        return await self._waited(await self.drawing.edit(person, form), form, report)

    async def _waited(self, answer: ToolAnswer, form: Ordered, report: Report) -> ToolAnswer:
        """Wait for the jobs of an answer, if it has any."""
        if not answer.job_ids or not form.wait_s:
            return answer
        views = await self.drawing.wait(answer.job_ids, form.wait_s, report)
        return await self.answers.of_jobs(views, answer.values.get("remarks", ()))

    async def _job(self, person: Person, form: JobForm, report: Report) -> ToolAnswer:
        job = await self._services.generation.visible(form.job_id, person)
        return await self.answers.of_jobs(await self.drawing.wait([job.id], form.wait_s, report))

    async def _cancel(self, person: Person, form: CancelForm, report: Report) -> ToolAnswer:
        generation = self._services.generation
        cancelled = await generation.cancel(form.job_id, person)
        job = cancelled or await generation.visible(form.job_id, person)
        text = _("Job {job} is cancelled.", job=job.id) if cancelled else _("Job {job} had ended.", job=job.id)
        return ToolAnswer(values=self.answers.values(generation.peek(job)), text=render(text))

    async def _pictures(self, person: Person, form: PicturesForm, report: Report) -> ToolAnswer:
        views = await self._services.generation.recent(person.user_key, form.limit)
        jobs = [self.answers.values(view) for view in views]
        lines = [f"{job['job_id']} ({job['status']}): {job['prompt']}" for job in jobs]
        return ToolAnswer(values={"jobs": jobs}, text="\n".join(lines) or render(_("There are none yet.")))

    async def _engines(self, person: Person, form: NoForm, report: Report) -> ToolAnswer:
        engines = self._services.catalog.engines(person)
        lines = [f"{engine.name}: {engine.label}" for engine in engines]
        values = {"engines": [_engine(engine) for engine in engines]}
        return ToolAnswer(values=values, text="\n".join(lines) or render(_("No engine is connected.")))

    async def _parse(self, person: Person, form: ParseForm, report: Report) -> ToolAnswer:
        parsed = parse_prompt(form.text, takes_several=True)
        given = {name: getattr(parsed.draft, name) for name in parsed.draft.__dataclass_fields__}
        given = {name: _plain(value) for name, value in given.items() if value not in (None, "", ())}
        notes = [render(note) for note in parsed.notes]
        values = {"draft": given, "repeat": parsed.repeat, "notes": notes}
        return ToolAnswer(values=values, text=" ".join((parsed.draft.prompt or "", *notes)))

    async def _describe(self, person: Person, form: DescribeForm, report: Report) -> ToolAnswer:
        source = await self.drawing.take(person, form.picture, "picture")
        seeing = self._services.wording.seeing
        found = await seeing.describe(source, origin_of(person), backend=form.engine)
        return ToolAnswer(values={"text": found.text, "engine": found.engine}, text=found.text)


def _tool_name(workflow: str) -> str:
    """Return a name that assistants take: at most 64 characters, with what tells namesakes apart."""
    plain = _NO_NAME.sub("_", workflow)[:MOST_NAME_CHARS].strip("_")
    return WORKFLOW_PREFIX + (plain or f"{crc32(workflow.encode()):08x}")


def _option_schema(option: WorkflowOption) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": KINDS.get(option.kind, "string"), "description": render(option.allowed)}
    if option.kind == CHOICE:
        schema["enum"] = list(option.choices)
    if option.low is not None:
        schema["minimum"] = option.low
    if option.high is not None:
        schema["maximum"] = option.high
    return schema


def _engine(engine: Engine) -> dict[str, Any]:
    can = engine.capabilities
    return {
        "name": engine.name,
        "label": engine.label,
        "is_up": engine.is_up,
        "error": engine.error,
        "is_paid": engine.is_paid,
        "modes": sorted(map(str, can.modes)) if can else [],
        "models": [model.name for model in (can.models or ())[:MOST_MODELS]] if can else [],
        "max_side": can.max_side if can else None,
        "takes_negative_prompt": bool(can and can.supports_negative_prompt),
        "describes": bool(can and can.supports_describe),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
