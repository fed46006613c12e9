"""Jobs by ComfyUI's API v2 (`/api/v2`), as `comfy-api-proxy` serves it in front of a ComfyUI.

Source: recorded answers of comfy-api-proxy 0.1.6 (`tests/data/comfyui/v2`), and the makers' OpenAPI document of v2. A
key can be used once: a job that is sent again under it is refused, without a word on the one that was taken. That one
is found by its `metadata`, where our key is, too. Paths are built of ids, not taken from the answers: those hold an
address that need not be the one we reach the server by, and our key must go nowhere else.
"""

import json
import logging
import uuid
from typing import Any, Final
from urllib.parse import quote

import httpx

from backends.comfyui.answers import HistoryEntry, OutputFile
from backends.comfyui.client import BRIEF_TIMEOUT_S, fetched
from backends.comfyui.errors import invalid, v2_refused
from backends.comfyui.graphs.graph import Graph, read_graph
from backends.comfyui.jobs.api import ApiGone, JobApi, Standing
from backends.comfyui.jobs.v2_answers import ApiJob, Health, JobGraph, Jobs, Refusal, code_of, refusal_of
from backends.comfyui.jobs.v2_assets import ASSETS, Assets
from backends.comfyui.news.stream import EventStream
from backends.comfyui.news.watch import NewsSource
from generation.errors import BackendError, BackendUnavailable, GenerationError, RequestRejected
from generation.request import SourceImage
from net.calls import JSON, Calls
from net.reasons import with_reason
from net.reply import Reply
from texts.text import _
from utils.threads import read_apart, run_in_thread

log = logging.getLogger(__name__)

JOBS: Final = "/api/v2/jobs"
INTENT: Final = "v2-"  # how a key of ours begins, so that it is known later by which API a job was sent
NO_JOB: Final = str(uuid.UUID(int=0))
MAX_LISTED: Final = 100
FINISHED: Final = frozenset({"succeeded", "failed", "canceled"})
AGAIN_S: Final = 2.0


class V2Jobs(JobApi):
    """Jobs of one server."""

    takes_ids = False

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._label = calls.label
        self._assets = Assets(calls)

    async def is_there(self) -> bool:
        """Return whether the server answers by this API. It answers without a key, and with ComfyUI away, too."""
        try:
            return (await self._calls.read(Health, "/api/v2/health", timeout=BRIEF_TIMEOUT_S)).is_good
        except GenerationError:
            return False

    async def check(self) -> None:
        """Ask for a job that cannot be: a server that knows none has taken our key, and reaches its ComfyUI.

        Raises:
            BackendAuthError, BackendUnavailable: it has not, or does not.
        """
        reply = await self._calls.call("GET", f"{JOBS}/{NO_JOB}")
        if not reply.is_success and code_of(reply.body) != "not_found":
            raise self._calls.refused(reply)

    def new_intent(self) -> str:
        return f"{INTENT}{uuid.uuid4()}"

    async def submit(self, graph: Graph, intent: str, preview: str) -> str:
        body = {"workflow": self._assets.put_into(graph), "metadata": intent}
        reply, refusal = await self._post(body, intent)
        if refusal and _is_of_metadata(refusal):  # an extension of the proxy's: others take none, or in another form
            reply, refusal = await self._post({"workflow": body["workflow"]}, intent)
        if reply.is_success:
            return (await self._calls.as_kind(ApiJob, reply.body, may_have_run=True)).id
        code = refusal.error.code if refusal else ""
        if code == "idempotency_key_reuse":
            return await self._taken(intent)
        if code == "upstream_unreachable":  # the key is held: ComfyUI may have taken the job
            raise v2_refused(self._label, reply, may_have_run=True)
        if refusal and reply.status in {400, 409, 422}:
            raise await self._refused(graph, refusal)
        raise self._calls.refused(reply)

    async def find(self, intent: str) -> str | None:
        """Look for a job among those the server lists; a server without a list has not taken it."""
        try:
            listed = await self._calls.read(Jobs, f"{JOBS}?limit={MAX_LISTED}")
        except ApiGone:
            return None
        return next((job.id for job in listed.jobs if job.metadata == intent), None)

    async def standing(self, job_id: str) -> Standing | None:
        job = await self._job(job_id)
        if job is None or job.status == "expired":
            return None
        if job.status == "queued":
            return Standing(ahead=job.queue_position or 0)
        return Standing(is_finished=job.status in FINISHED, is_running=job.status not in FINISHED)

    async def outcome(self, job_id: str) -> HistoryEntry | None:
        job = await self._job(job_id)
        if job is None or job.status not in FINISHED:
            return None
        return job.as_history(await self._graph(job_id) if job.outputs else {})

    async def view(self, file: OutputFile) -> bytes:
        """Return one file of a finished job.

        Raises:
            BackendUnavailable: it was removed.
        """
        reply = await fetched(self._calls, f"{ASSETS}/{quote(file.asset, safe='')}/content", file)
        if reply.status == httpx.codes.NOT_FOUND:
            gone = _("The finished picture is gone from {label}.", label=self._label)
            raise BackendUnavailable(gone, detail=f"404 {code_of(reply.body)}", hint=_("Run it again."))
        if not reply.is_success:
            raise self._calls.refused(reply)
        return reply.body

    async def upload(self, image: SourceImage) -> str:
        """Put a picture on the server, unless it knows the hash that it told of it before."""
        return await self._assets.put(image)

    async def cancel(self, job_id: str) -> None:
        """Cancel one job.

        Raises:
            BackendError: it still waits. A ComfyUI before 0.25 has no such call, which the proxy does not tell.
        """
        path = f"{JOBS}/{quote(job_id, safe='')}/cancel"
        reply = await self._calls.call("POST", path, timeout=BRIEF_TIMEOUT_S)
        if not reply.is_success and code_of(reply.body) == "not_found":
            return
        if not reply.is_success:
            raise self._calls.refused(reply)
        if (await self._calls.as_kind(ApiJob, reply.body)).status == "queued":
            raise BackendError(
                _("{label} did not cancel the job.", label=self._label), hint=_("It needs ComfyUI 0.25 or newer.")
            )

    def source(self, job_id: str) -> NewsSource:
        return EventStream(self._calls, job_id)

    async def _post(self, body: dict[str, Any], intent: str) -> tuple[Reply, Refusal | None]:
        """Send a job under a key; where the answer is lost, again under the same one, which is taken once."""
        content = await run_in_thread(lambda: json.dumps(body).encode())
        headers = {**JSON, "Idempotency-Key": intent}
        try:
            reply = await self._calls.call("POST", JOBS, content=content, headers=headers)
        except BackendUnavailable as error:
            if not error.may_have_run:
                raise
            reply = await self._calls.call("POST", JOBS, content=content, headers=headers)
        return reply, None if reply.is_success else await read_apart(refusal_of, reply.body)

    async def _taken(self, intent: str) -> str:
        """Return the id of a job whose key was used: it was sent twice, by us or by a proxy on the way."""
        try:
            found = await self.find(intent)
        except BackendError as error:
            error.may_have_run = True
            raise
        if found:
            log.info("answer lost, job found", extra={"action": "answer_lost", "backend": self._label})
            return found
        raise BackendUnavailable(
            _("{label} has taken this job already, and does not say under which id.", label=self._label),
            retry_after=AGAIN_S,
            hint=_("It is looked for again in a moment."),
            may_have_run=True,
        )

    async def _refused(self, graph: Graph, refusal: Refusal) -> GenerationError:
        """Return our error for a job that was not taken."""
        answer = refusal.error
        mistake = invalid(self._label, (answer.details or {}).get("node_errors"))
        has_no_picture = isinstance(mistake, RequestRejected) and mistake.field == "image"
        if (answer.code == "missing_asset" or has_no_picture) and await self._assets.forget(graph):
            lost = _("{label} has lost the picture to start from.", label=self._label)
            return BackendUnavailable(lost, detail=answer.message, retry_after=0.0, hint=_("It is sent again."))
        sentence = with_reason(_("{label} does not accept this request.", label=self._label), answer.message)
        return mistake or RequestRejected(sentence, detail=answer.code, hint=_("Try other settings."))

    async def _job(self, job_id: str) -> ApiJob | None:
        reply = await self._calls.call("GET", f"{JOBS}/{quote(job_id, safe='')}")
        if not reply.is_success and code_of(reply.body) == "not_found":
            return None
        if not reply.is_success:
            raise self._calls.refused(reply)
        return await self._calls.as_kind(ApiJob, reply.body, may_have_run=True)

    async def _graph(self, job_id: str) -> Graph:
        """Return what a job ran, empty where that is not told: then seeds are the request's."""
        try:
            answer = await self._calls.read(JobGraph, f"{JOBS}/{quote(job_id, safe='')}/workflow")
        except BackendError:
            return {}
        return read_graph(answer.workflow) if answer.format == "api" else {}


def _is_of_metadata(refusal: Refusal) -> bool:
    """Return whether a job was refused for what it is to be found by."""
    answer = refusal.error
    return answer.code.startswith("metadata_") or (answer.code == "invalid_request" and "'metadata'" in answer.message)
