"""Jobs by ComfyUI's own API: `POST /prompt` queues a graph, `/history` says when it is done, `/view` gives the files.

The id of a job is ours, so it is found again after a restart of Easel, and after an answer that was lost on the way.
"""

import json
import logging
import uuid
from typing import Any

from backends.comfyui.answers import HistoryEntry, OutputFile, PromptAnswer, Queue
from backends.comfyui.client import ComfyServer
from backends.comfyui.errors import invalid
from backends.comfyui.graphs.graph import Graph, read_graph
from backends.comfyui.jobs.api import JobApi, Standing
from backends.comfyui.kind import PREVIEW_METHODS
from backends.comfyui.news.sockets import WebSocket
from backends.comfyui.news.watch import NewsSource
from generation.errors import BackendUnavailable, GenerationError
from generation.request import SourceImage
from net.calls import Calls
from utils.threads import run_in_thread

log = logging.getLogger(__name__)


class ClassicJobs(JobApi):
    """Jobs of one server. `version` decides how one is cancelled; the last probe sets it."""

    takes_ids = True

    def __init__(self, calls: Calls) -> None:
        self.server = ComfyServer(calls)
        self.version: tuple[int, ...] = ()
        self._label = calls.label
        self._calls = calls

    def new_intent(self) -> str:
        return str(uuid.uuid4())

    async def submit(self, graph: Graph, intent: str, preview: str) -> str:
        """Post the job and return its id; an older server may choose another one than ours."""
        body: dict[str, Any] = {
            "prompt": graph,
            "prompt_id": intent,
            "client_id": intent,
            "extra_data": {"preview_method": preview if preview in PREVIEW_METHODS else "auto"},
        }
        answer = await self._send(body, intent)
        mistake = invalid(self._label, answer.node_errors)
        if mistake:
            await self._withdraw(answer.prompt_id)
            raise mistake
        return answer.prompt_id

    async def find(self, intent: str) -> str | None:
        """Look for a job by the id it was sent with; its client has it too, where the server chose another one."""
        queue = await self.server.queue()
        if sent := queue.sent_by(intent):
            return sent
        return intent if await self._is_known(intent, queue) else await self.server.sent_by(intent)

    async def standing(self, job_id: str) -> Standing | None:
        if await self.server.history(job_id) is not None:
            return Standing(is_finished=True)
        queue = await self.server.queue()
        running, position = queue.running(job_id), queue.position(job_id)
        if running is not None:
            return Standing(is_running=True, graph=read_graph(running[2]) if len(running) > 2 else {})
        return None if position is None else Standing(ahead=len(queue.queue_running) + position)

    async def outcome(self, job_id: str) -> HistoryEntry | None:
        return await self.server.history(job_id)

    async def view(self, file: OutputFile) -> bytes:
        return await self.server.view(file)

    async def upload(self, image: SourceImage) -> str:
        return await self.server.upload(image)

    async def cancel(self, job_id: str) -> None:
        await self.server.cancel(job_id, self.version)

    def source(self, job_id: str) -> NewsSource:
        # The client id is the job's own: one that is used twice at once falls silent when the older one closes.
        return WebSocket(self._calls, job_id)

    async def _send(self, body: dict[str, Any], prompt_id: str) -> PromptAnswer:
        content = await run_in_thread(lambda: json.dumps(body).encode())
        try:
            return await self.server.prompt(content)
        except BackendUnavailable as error:
            if error.may_have_run and await self._is_there(prompt_id):
                log.info("answer lost, job found", extra={"action": "answer_lost", "backend": self._label})
                return PromptAnswer(prompt_id=prompt_id)
            raise

    async def _withdraw(self, prompt_id: str) -> None:
        try:
            await self.cancel(prompt_id)
        except GenerationError:
            log.warning("could not cancel a remote job", extra={"action": "job_cancelled", "backend": self._label})

    async def _is_there(self, prompt_id: str) -> bool:
        """Return whether a job whose answer was lost was accepted all the same."""
        try:
            return await self._is_known(prompt_id, await self.server.queue())
        except GenerationError:
            return False

    async def _is_known(self, prompt_id: str, queue: Queue) -> bool:
        """Return whether a job waits, runs or has ended; `queue` as it was a moment ago."""
        waits = queue.running(prompt_id) is not None or queue.position(prompt_id) is not None
        return waits or await self.server.history(prompt_id) is not None
