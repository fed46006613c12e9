"""The extension sd-webui-agent-scheduler of the stand-in: a job list of its own in front of the one lock.

Source: recorded answers in `tests/data/agent_scheduler`.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.a1111_engine import Engine, Failed

ROOT = "/agent-scheduler/v1"
PATHS = tuple(
    f"{ROOT}/{rest}" for rest in ("queue/txt2img", "queue/img2img", "task/{id}", "task/{id}/results", "queue")
)


@dataclass
class Row:
    """One job of the list."""

    id: str
    mode: str
    body: dict[str, Any]
    status: str = "pending"
    result: str | None = None
    pictures: list[dict[str, str]] = field(default_factory=list)


class Scheduler:
    """Jobs run one after another, each under an internal id that nobody outside knows.

    `is_paused`: somebody has paused the list in the web UI; what is handed in waits until `go_on`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.rows: dict[str, Row] = {}
        self.deleted: list[str] = []
        self.is_paused = False
        self._runner: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{ROOT}/queue/{{mode}}", self._queue),
            web.get(f"{ROOT}/task/{{id}}", self._task),
            web.get(f"{ROOT}/task/{{id}}/results", self._results),
            web.delete(f"{ROOT}/task/{{id}}", self._delete),
        ]

    async def close(self) -> None:
        if self._runner:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _queue(self, request: web.Request) -> web.Response:
        body = await request.json()
        row = Row(id=f"{len(self.rows):08x}-f334-4e8d-aeef-46beadc63a8c", mode=request.match_info["mode"], body=body)
        self.rows[row.id] = row
        if not self.is_paused:
            self.go_on()
        return web.json_response({"task_id": row.id})

    def go_on(self) -> None:
        self.is_paused = False
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while waiting := [row for row in self.rows.values() if row.status == "pending"]:
            await self._run_one(waiting[0])

    async def _run_one(self, row: Row) -> None:
        row.status = "running"
        try:
            body = {name: value for name, value in row.body.items() if name not in {"checkpoint", "vae", "name"}}
            answer = await self._engine.run(row.mode, body)
        except Failed as failure:
            row.status, row.result = "failed", failure.text
            return
        infotexts = json.loads(answer["info"])["infotexts"]
        row.pictures = [
            {"image": f"data:image/png;base64,{image}", "infotext": text}
            for image, text in zip(answer["images"], infotexts, strict=False)
        ]
        row.status = "done"  # an interrupted one too, with what there is of it

    async def _task(self, request: web.Request) -> web.Response:
        row = self.rows.get(request.match_info["id"])
        if row is None:
            return web.json_response({"success": False, "message": "Task not found"})
        pending = [item.id for item in self.rows.values() if item.status == "pending"]
        position = pending.index(row.id) + 1 if row.id in pending else None
        data = {"id": row.id, "type": row.mode, "status": row.status, "position": position, "result": row.result}
        return web.json_response({"success": True, "data": data})

    async def _results(self, request: web.Request) -> web.Response:
        row = self.rows.get(request.match_info["id"])
        if row is None or row.status != "done":
            text = f"Task is {row.status}" if row else "Task not found"
            return web.json_response({"success": False, "message": text})
        return web.json_response({"success": True, "data": row.pictures})

    async def _delete(self, request: web.Request) -> web.Response:
        row = self.rows.pop(request.match_info["id"], None)
        if row:
            self.deleted.append(row.id)
        return web.json_response({"success": row is not None, "message": "Task deleted" if row else "Task not found"})
