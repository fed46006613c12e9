"""The way through the extension sd-webui-agent-scheduler, where it is installed: a job there has an id of its own.

Source: recorded answers in `tests/data/agent_scheduler`. A job is accepted at once, so no proxy cuts the wait off, and
a waiting one can be taken back for good. Its state is `pending`, `running`, `done`, `failed` or `interrupted`; a
running one is stopped as any other, by the server-wide interrupt. Refusals come with status 200 and `success: false`.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError

from backends.a1111.errors import translate_text
from backends.a1111.progress import OWN_QUEUE, A1111Pace, Task, TaskWatch
from backends.base import ProgressCallback
from generation.errors import BackendError, BackendUnavailable
from generation.job import Progress
from net.answers import read_model
from net.calls import JSON, Calls, read_as
from texts.text import _
from utils.text import place_in

log = logging.getLogger(__name__)

ROOT = "/agent-scheduler/v1"
SUBMIT_TIMEOUT_S = 30.0
MAX_REPLY_BYTES = 64 * 1024
ENDED = frozenset({"done", "failed", "interrupted"})


class _Queued(BaseModel):
    task_id: str


class TaskRow(BaseModel):
    """A job as the extension keeps it; `result` is the error's text when it failed."""

    status: str
    position: int | None = None
    result: str | None = None


class _Reply(BaseModel):
    success: bool = False
    message: str = ""
    data: TaskRow | None = None


class AgentScheduler:
    """One server's job list. A job that may have been accepted is reported, never sent again."""

    def __init__(self, calls: Calls, watch: TaskWatch, pace: A1111Pace) -> None:
        self._label = calls.label
        self._calls = calls
        self._watch = watch
        self._pace = pace

    async def submit(self, mode: str, content: bytes) -> str:
        """Hand a job in (`mode` is txt2img or img2img) and return its id.

        Raises:
            BackendError, RequestRejected: what the server says of it.
        """
        path = f"{ROOT}/queue/{mode}"
        reply = await self._calls.call(
            "POST", path, limit=MAX_REPLY_BYTES, content=content, headers=JSON, timeout=SUBMIT_TIMEOUT_S
        )
        if reply.status != HTTPStatus.OK:
            raise self._calls.refused(reply)
        return read_as(self._label, _Queued, reply.body, may_have_run=True).task_id

    async def wait(self, remote_id: str, task: Task, report: ProgressCallback) -> None:
        """Follow a job to its end.

        Raises:
            BackendError: it failed, was stopped by somebody there, or is gone.
            BackendUnavailable: nothing has been heard of it for too long.
        """
        loop = asyncio.get_running_loop()
        silent_since = loop.time()
        while True:
            reply = await self._reply(remote_id)
            row = reply.data if reply else None
            if reply and row is None:
                raise BackendError(
                    _("{label} has lost this job.", label=self._label), detail=reply.message, may_have_run=True
                )
            if row and row.status in ENDED:
                self._check(row)
                return
            if row:
                silent_since = loop.time()
                await self._tell(row, task, report)
            elif loop.time() - silent_since > self._pace.recover_s:
                raise BackendUnavailable(_("{label} has stopped answering.", label=self._label), may_have_run=True)
            await asyncio.sleep(self._pace.poll_s)

    async def results(self, remote_id: str, limit_bytes: int) -> bytes:
        """Return the answer with the pictures of a job that is done."""
        path = f"{ROOT}/task/{remote_id}/results"
        reply = await self._calls.call("GET", path, limit=limit_bytes, may_have_run=True)
        if reply.status != HTTPStatus.OK:
            raise self._calls.refused(reply)
        return reply.body

    async def stop(self, remote_id: str, limit_s: float) -> bool:
        """Take a waiting job back, or interrupt a running one; say whether it was stopped."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        while loop.time() < end:
            reply = await self._reply(remote_id)
            row = reply.data if reply else None
            if (reply and row is None) or (row and row.status in ENDED):
                return False
            if row and row.status == "running":
                return await self._watch.interrupt()
            if row:
                await self._watch.read("DELETE", f"{ROOT}/task/{remote_id}")
                after = await self._reply(remote_id)
                if after and after.data is None:
                    return True
            await asyncio.sleep(self._pace.cancel_poll_s)
        return False

    async def _reply(self, remote_id: str) -> _Reply | None:
        """Return what the server says of a job; None is no news."""
        body = await self._watch.read("GET", f"{ROOT}/task/{remote_id}")
        try:
            return None if body is None else read_model(_Reply, body)
        except ValidationError:
            return None

    async def _tell(self, row: TaskRow, task: Task, report: ProgressCallback) -> None:
        try:
            if row.status == "running":
                progress = await self._watch.running(task)
            else:
                progress = Progress(fraction=task.fraction, note=place_in(OWN_QUEUE, row.position))
            if progress:
                await report(progress)
        except Exception as error:  # a broken watcher of progress must not cost the picture
            log.debug("progress could not be reported: %r", error)

    def _check(self, row: TaskRow) -> None:
        if row.status == "failed":
            raise translate_text(self._label, row.result or "")
        if row.status == "interrupted":
            raise BackendError(
                _("Somebody stopped this job on {label}.", label=self._label), hint=_("Try again."), may_have_run=True
            )


def to_scheduled(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the same job for the extension: it has ids of its own, and names the checkpoint apart."""
    checkpoint = payload["override_settings"].get("sd_model_checkpoint")
    kept = {name: value for name, value in payload.items() if name != "force_task_id"}
    return kept | ({"checkpoint": checkpoint} if checkpoint else {})
