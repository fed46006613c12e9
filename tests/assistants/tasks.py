"""The tasks of SEP-2663 as a client knows them, by the official package's own means for extensions."""

import asyncio
from typing import Any, ClassVar, Literal

import mcp_types as types
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError


class TaskResult(types.Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    poll_interval_ms: int = 1000


class TaskState(types.Result):
    task_id: str
    status: str
    result: dict[str, Any] | None = None
    result_type: str = "complete"


class OfTask(types.RequestParams):
    task_id: str


class TaskRequest(types.Request[OfTask, str]):
    name_param: ClassVar[str | None] = "taskId"


async def get_task(session: Any, task_id: str) -> TaskState:
    return await session.send_request(TaskRequest(method="tasks/get", params=OfTask(task_id=task_id)), TaskState)


async def cancel_task(session: Any, task_id: str) -> None:
    await session.send_request(TaskRequest(method="tasks/cancel", params=OfTask(task_id=task_id)), types.EmptyResult)


async def finish(session: Any, task_id: str) -> types.CallToolResult:
    """Ask until a task has ended, however often the server goes away meanwhile."""
    async with asyncio.timeout(60):
        while True:
            try:
                state = await get_task(session, task_id)
            except (MCPError, OSError):
                await asyncio.sleep(0.2)
                continue
            if state.status == "completed":
                return types.CallToolResult.model_validate(state.result)
            await asyncio.sleep(0.05)


class Tasks(ClientExtension):
    identifier = "io.modelcontextprotocol/tasks"

    def claims(self) -> list[ResultClaim[Any]]:
        async def resolve(found: TaskResult, context: ClaimContext) -> types.CallToolResult:
            return await finish(context.session, found.task_id)

        return [ResultClaim(result_type="task", model=TaskResult, resolve=resolve)]
