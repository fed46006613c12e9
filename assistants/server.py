"""The MCP server: the only place that knows the official package `mcp` (an extra, requirements-mcp.in).

Sources: modelcontextprotocol.io, revisions 2025-11-25 and 2026-07-28, and SEP-2663 for tasks. It keeps no session, so
that a restart of Easel ends nothing: a task is a job, and its id is the job's.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from assistants.answers import WORKING, ToolAnswer
from assistants.tools import AssistantTool, Tools
from constants import APP_NAME, VERSION
from generation.errors import GenerationError, RequestRejected
from generation.job import JobStatus, JobView
from generation.person import Person
from services.refusals import check_scope, error_body, wrong_value
from texts.text import _, render

log = logging.getLogger(__name__)

TASKS: Final = "io.modelcontextprotocol/tasks"
MODERN: Final = frozenset(MODERN_PROTOCOL_VERSIONS)
POLL_MS: Final = 1000
BUDGET: Final = "budget_usd"
QUESTION: Final = "input_required"  # no text: a value of the protocol
BETWEEN: Final = "+"  # the ids of the jobs of one task
STATES: Final = {
    JobStatus.DONE: "completed",
    JobStatus.FAILED: "completed",  # the tool's answer says what went wrong
    JobStatus.EXPIRED: "completed",
    JobStatus.CANCELLED: "cancelled",
}
INSTRUCTIONS: Final = _(
    "Draw pictures on the engines of this Easel. `draw` makes one from words, `edit` from a picture. What takes long "
    "goes on when you stop waiting: ask `job` with its job_id. Show people the links of what was drawn."
)

PersonOf = Callable[[Any], Person]


class TaskParams(types.RequestParams):  # type: ignore[misc]  # an extra, whose types are not read
    """A task by its id."""

    task_id: str


class AssistantServer:
    """Answers the messages of MCP; `person_of` says who a request comes from."""

    def __init__(self, tools: Tools, person_of: PersonOf) -> None:
        self._tools = tools
        self._person_of = person_of
        self.server: Server[Any] = Server(
            APP_NAME,
            version=VERSION,
            instructions=render(INSTRUCTIONS),
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self.server.extensions[TASKS] = {}
        self.server.add_request_handler("tasks/get", TaskParams, self._get_task)
        self.server.add_request_handler("tasks/update", TaskParams, self._update_task)
        self.server.add_request_handler("tasks/cancel", TaskParams, self._cancel_task)

    async def _list(self, context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    title=render(tool.title),
                    description=render(tool.meaning),
                    input_schema=tool.input_schema,
                    annotations=types.ToolAnnotations(read_only_hint=tool.scope == "read", destructive_hint=False),
                )
                for tool in await self._tools.offered(self._person_of(context))
            ]
        )

    async def _call(self, context: Any, params: types.CallToolRequestParams) -> Any:
        try:
            person = self._person_of(context)
            tool = await self._tools.find(params.name, person)
            if tool is None:
                raise RequestRejected(_("There is no tool “{name}” here.", name=params.name[:60]), field="name")
            check_scope(person, tool.scope)
            arguments = dict(params.arguments or {})
            if (agreed := (params.input_responses or {}).get(BUDGET)) is not None:
                if agreed.action != "accept":
                    return _refused({"status": "declined", "error": render(_("Not drawn: the price was declined."))})
                arguments[BUDGET] = (agreed.content or {}).get(BUDGET)
            return await self._run(context, person, tool, arguments)
        except ValidationError as error:
            found = error.errors()[0]
            return _refused(wrong_value(dict(found), ".".join(map(str, found["loc"]))))
        except GenerationError as error:
            return _refused(error_body(error))
        except Exception:
            trace = secrets.token_hex(3)
            log.exception("a tool crashed", extra={"action": "mcp_failed", "trace": trace})
            words, hint = _("Easel made a mistake. Please try again."), _("Tell its owner: {trace}.", trace=trace)
            return _refused({"error": render(words), "hint": render(hint), "code": "internal"})

    async def _run(self, context: Any, person: Person, tool: AssistantTool, arguments: dict[str, Any]) -> Any:
        is_task = tool.draws and _takes_tasks(context)
        form = tool.form.model_validate(arguments | {"wait_s": 0} if is_task else arguments)

        async def report(fraction: float, words: str) -> None:
            await context.session.report_progress(fraction, 1.0, words)

        answer = await tool.call(person, form, report)
        if is_task and answer.job_ids:
            views = await self._views(BETWEEN.join(answer.job_ids), person)
            return {"resultType": "task", **_task(views)}
        if answer.values.get("status") == QUESTION and _takes_questions(context):
            return _question(answer)
        return _result(answer)

    async def _get_task(self, context: Any, params: TaskParams) -> dict[str, Any]:
        person = self._person_of(context)
        views = await self._views(params.task_id, person)
        task = _task(views)
        if task["status"] == "completed":
            answer = await self._tools.answers.of_jobs(views)
            task["result"] = _result(answer).model_dump(mode="json", by_alias=True, exclude_none=True)
        return task

    async def _update_task(self, context: Any, params: TaskParams) -> dict[str, Any]:
        """Take in answers to questions; a job has none once it is in the queue."""
        await self._views(params.task_id, self._person_of(context))
        return {}

    async def _cancel_task(self, context: Any, params: TaskParams) -> dict[str, Any]:
        person = self._person_of(context)
        try:
            check_scope(person, "generate")
            for view in await self._views(params.task_id, person):
                await self._tools.cancel(view.job.id, person)
        except GenerationError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=render(error.user_message)) from error
        return {}

    async def _views(self, task_id: str, person: Person) -> list[JobView]:
        """Return the jobs of a task.

        Raises:
            MCPError: there is none for this person.
        """
        try:
            return [await self._tools.view(job_id, person) for job_id in task_id.split(BETWEEN)[:32]]
        except GenerationError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=render(error.user_message)) from error


def _takes_tasks(context: Any) -> bool:
    """Return whether the client has said that it takes tasks in place of answers."""
    capabilities = context.session.client_capabilities
    extensions = getattr(capabilities, "extensions", None) or {}
    return context.protocol_version in MODERN and TASKS in extensions


def _takes_questions(context: Any) -> bool:
    """Return whether the client asks its person by itself, and calls again with what they say."""
    asks = getattr(context.session.client_capabilities, "elicitation", None)
    return context.protocol_version in MODERN and asks is not None


def _question(answer: ToolAnswer) -> types.InputRequiredResult:
    """Ask for a budget in place of an answer; nothing is kept here until the call comes again with it."""
    usd, title = answer.values["price_usd"], render(_("Most it may cost, US dollars"))
    wanted: dict[str, Any] = {"type": "number", "title": title, "minimum": usd or 0.0}
    if usd is not None:
        wanted["default"] = usd
    form = types.ElicitRequestFormParams(
        message=answer.values["error"],
        requested_schema={"type": "object", "properties": {BUDGET: wanted}, "required": [BUDGET]},
    )
    return types.InputRequiredResult(input_requests={BUDGET: types.ElicitRequest(params=form)})


def _task(views: list[JobView]) -> dict[str, Any]:
    jobs = [view.job for view in views]
    open_ones = [job for job in jobs if job.status in WORKING]
    status = "working" if open_ones else STATES[jobs[0].status]
    moments = [moment for job in jobs for moment in (job.finished_at, job.started_at, job.created_at) if moment]
    return {
        "taskId": BETWEEN.join(job.id for job in jobs),
        "status": status,
        "statusMessage": str((open_ones or jobs)[0].status),
        "createdAt": _stamp(jobs[0].created_at),
        "lastUpdatedAt": _stamp(max(moments)),
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _result(answer: ToolAnswer) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(type="text", text=answer.text)]
    content += [types.ImageContent(data=item.base64, mime_type=item.media_type) for item in answer.pictures]
    content += [types.ResourceLink(uri=link.url, name=link.name, mime_type=link.media_type) for link in answer.links]
    return types.CallToolResult(content=content, structured_content=answer.values, is_error=answer.is_error)


def _refused(body: dict[str, Any]) -> types.CallToolResult:
    text = " ".join(filter(None, (body["error"], body.get("hint"))))
    content: list[Any] = [types.TextContent(type="text", text=text)]
    return types.CallToolResult(content=content, structured_content=body, is_error=True)
