"""ComfyUI: `POST /prompt` queues a graph, `/history` says when it is done, `/view` gives the pictures.

Source: recorded answers of ComfyUI 0.33 (`tests/data/comfyui`). The id of a job is ours, so a run is found again after
a restart of Easel, and after an answer that was lost on the way. The websocket only tells how far it is.
"""

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from backends.base import (
    BackendConfig,
    KnownIds,
    ProgressCallback,
    ReadWorkflow,
    RemoteState,
    Sending,
    follow,
    stop_remote,
    unnoted,
)
from backends.comfyui.apply import workflow_capabilities, workflow_changes
from backends.comfyui.builtin import Uploads, build, changes
from backends.comfyui.facts import Facts, read_facts
from backends.comfyui.failures import check, check_nodes, failed, invalid, no_picture
from backends.comfyui.fetching import fetch_file
from backends.comfyui.graph import Graph, read_graph, spread
from backends.comfyui.offer import to_capabilities
from backends.comfyui.own import correct, draw, load_own, look_over, read_upload
from backends.comfyui.server import Server
from backends.comfyui.uploading import upload
from backends.comfyui.watch import Watch
from backends.comfyui.wire import PromptAnswer, Queue, read_outputs
from backends.comfyui.workflow import Workflow, load_workflow, open_workflow, to_graph
from backends.http import key_auth, make_client
from backends.kind import option_of
from generation.capabilities import Capabilities
from generation.errors import BackendError, BackendUnavailable, CapabilityError, GenerationError, RequestRejected
from generation.job import Progress
from generation.request import GenerationRequest, Mode, WorkflowRef
from generation.result import GenerationResult
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

PREVIEW_METHODS: Final = frozenset({"auto", "latent2rgb", "taesd", "none"})


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often we ask, in seconds; tests make it quick."""

    poll_s: float = 1.0  # over HTTP where there is no websocket, and how long to wait for news from one
    check_s: float = 5.0  # over HTTP where there is one: it may have gone silent
    report_s: float = 0.25  # between two reports of progress
    open_s: float = 2.0  # for the websocket to open before the job is sent without
    patience_s: float = 20.0  # for a proxy that hiccups while a job runs; a restart would have lost the job anyway
    backoff_s: float = 1.0
    accept_s: float = 3.0  # for an answer to a job that was cancelled while it was being sent


class ComfyUIBackend:
    """One ComfyUI server.

    Options: `workflow` (path of a workflow file), `model`, `family`, `vae`, `t5`, `clip_l`, `clip_g`, `upscaler`,
    `preview` (auto, latent2rgb, taesd, none), `save_on_server`, `max_side`, `max_batch`, `own_workflows`.
    `key` is `user:password` or a token for the proxy in front.
    """

    kind = "comfyui"
    is_paid = False
    can_find = True

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pace: Pace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options: Mapping[str, str] = config.options
        self._pace = pace or Pace()
        self._clock = clock or SystemClock()
        self._client = make_client(config, transport=transport, auth=key_auth(config.key))
        self._server = Server(self._label, self._client)
        self._facts: Facts | None = None
        self._workflow: Workflow | None = None
        self._watches: dict[str, Watch] = {}

    async def capabilities(self) -> Capabilities:
        """Read the server's nodes, models and names anew; with a workflow, what that makes of them."""
        facts = await self._probe()
        path = self._options.get("workflow", "").strip()
        if not path:
            can = to_capabilities(facts, self._options)
            if not can.modes and not can.supports_workflows:
                raise BackendError(
                    f"{self._label} has no model yet.",
                    hint="Put a checkpoint into ComfyUI's models/checkpoints, or give it a workflow of its own.",
                )
            return can
        try:
            self._workflow = await run_in_thread(load_workflow, path, facts.info)
        except RequestRejected as error:
            raise BackendError(error.user_message, detail=error.detail, hint=error.hint) from error
        return workflow_capabilities(self._workflow, facts, self._options)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Queue one job, follow it to its end and fetch its pictures.

        Raises:
            BackendUnavailable: no answer, or the job was lost by a restart of the server.
            CapabilityError: a node, a model or another file the graph needs is not there.
            OutOfMemory, RequestRejected, BackendError: what the server says of the job.
            UnexpectedAnswer: no pictures, or broken ones.
        """
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        """Upload what is needed, check the graph and queue it; return the job's id, which `sending` knew before."""
        facts, workflow = await self._known(request)
        uploads = await upload(self._server, request, has_workflow=workflow is not None)
        graph = await self._graph(request, facts, workflow, uploads)
        prompt_id = str(uuid.uuid4())
        watch = self._watch(prompt_id)
        watch.reader.know(graph)
        try:
            with contextlib.suppress(TimeoutError):  # it is followed without a websocket then
                async with asyncio.timeout(self._pace.open_s):
                    await watch.opened.wait()
            await sending(prompt_id)
        except BaseException:
            await self._forget(prompt_id)
            raise
        return await self._queue(graph, prompt_id)

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        """Look for a job by the id it was sent with; its client has it too, where the server chose another one."""
        queue = await self._server.queue()
        if sent := queue.sent_by(intent):
            return sent
        return intent if await self._is_known(intent, queue) else await self._server.sent_by(intent)

    async def poll(self, remote_id: str) -> RemoteState:
        """Wait a moment for news of a job, and ask for it over HTTP when that is due."""
        watch = self._watch(remote_id)
        if watch.is_connected and not watch.reader.is_over:
            await watch.wait_for_news(self._pace.poll_s)
            await watch.wait_for_end(self._pace.report_s)  # reports are rationed, the end is not
        now = self._clock.monotonic()
        is_live = watch.is_connected and not watch.reader.is_over
        if is_live and now - watch.asked_at < self._pace.check_s:
            return RemoteState(is_finished=False, progress=watch.progress, poll_after_s=0.0)
        watch.asked_at = now
        try:
            state = await self._look(remote_id, watch)
        except BackendUnavailable:
            await self._forget(remote_id)
            raise
        if state.is_finished:
            await self._forget(remote_id)
        return state

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures and videos of a finished job, or raise what it died of."""
        entry = await self._server.history(remote_id)
        if entry is None:
            raise self._lost()
        if entry.status and (entry.status.status_str == "error" or not entry.status.completed):
            raise failed(self._label, entry.status)
        outputs = await run_in_thread(read_outputs, entry)
        shown = [output for output in outputs if output.file.is_shown]
        if not shown:
            raise no_picture(self._label, outputs)
        images = [await fetch_file(self._server, self._label, output, request.seed) for output in shown]
        facts, workflow = await self._known(request)
        notes = workflow_changes(workflow, request) if workflow else changes(request, facts)
        if len(outputs) > len(shown):
            left = len(outputs) - len(shown)
            notes.append(f"{left} more file(s) are neither pictures nor videos: they stay on the engine")
        model = facts.model(request.model) if not workflow and request.mode is not Mode.UPSCALE else None
        return GenerationResult(
            images=tuple(images),
            model=model.title if model else None,
            notes=tuple(notes),
            is_complete=entry.status is not None,  # old versions do not say how a job ended
        )

    async def cancel(self, remote_id: str) -> None:
        """Take a job out of the queue, or stop it if it runs; never anybody else's."""
        await self._forget(remote_id)
        await self._server.cancel(remote_id, self._facts.version if self._facts else ())

    async def read_workflow(self, content: bytes) -> ReadWorkflow:
        """Find out what the inputs of an uploaded file are for; the server is asked what it has now."""
        opened = await run_in_thread(open_workflow, content)
        facts = await self._probe()
        graph = await run_in_thread(to_graph, opened, facts.info)
        return await run_in_thread(read_upload, graph, facts.info)

    async def correct_workflow(self, workflow: WorkflowRef, field: str, place: str) -> ReadWorkflow:
        """Say where a value goes; what the server lacks is told where it answers."""
        if self._facts is None:
            with contextlib.suppress(BackendError):
                await self._probe()
        return await run_in_thread(correct, workflow, field, place, self._facts.info if self._facts else None)

    async def workflow_capabilities(self, workflow: WorkflowRef) -> Capabilities:
        """Return what a workflow can do here; a list of nodes that is too old is read anew."""
        own = await run_in_thread(load_own, workflow)
        facts = self._facts or await self._probe()
        if await run_in_thread(check_nodes, own.graph, facts.info):
            facts = await self._probe()
        if lacking := await run_in_thread(check_nodes, own.graph, facts.info):
            raise lacking
        return await run_in_thread(workflow_capabilities, own, facts, self._options)

    async def look_over(self, workflow: WorkflowRef, request: GenerationRequest) -> tuple[str, ...]:
        """Return remarks on how a request is drawn with a workflow; a list of files that is too old is read anew."""
        own = await run_in_thread(load_own, workflow)
        if self._facts is not None:
            with contextlib.suppress(CapabilityError):
                if not (notes := await run_in_thread(look_over, own, request, self._facts)):
                    return tuple(notes)
        return tuple(await run_in_thread(look_over, own, request, await self._probe()))

    async def aclose(self) -> None:
        for prompt_id in tuple(self._watches):
            await self._forget(prompt_id)
        await self._client.aclose()

    async def _probe(self) -> Facts:
        stats, info, embeddings = await asyncio.gather(
            self._server.stats(), self._server.object_info(), self._server.embeddings()
        )
        self._facts = await run_in_thread(read_facts, stats.system.comfyui_version, info, self._options, embeddings)
        return self._facts

    async def _known(self, request: GenerationRequest) -> tuple[Facts, Workflow | None]:
        """Return what is known of the server, and the workflow that is drawn with: the request's, or this engine's."""
        if request.workflow:
            return self._facts or await self._probe(), await run_in_thread(load_own, request.workflow)
        if self._facts is None or (self._options.get("workflow") and self._workflow is None):
            await self.capabilities()
        assert self._facts is not None
        return self._facts, self._workflow

    async def _graph(
        self, request: GenerationRequest, facts: Facts, workflow: Workflow | None, uploads: Uploads
    ) -> Graph:
        """Build the graph, and look whether all of it is there; a list that is too old is read anew once."""
        lacking: GenerationError | None = None
        for is_fresh in (False, True):
            if is_fresh:
                facts = await self._probe()
            try:
                return await run_in_thread(self._draw, request, facts, workflow, uploads)
            except RequestRejected as error:
                lacking = error
        assert lacking is not None
        raise lacking

    def _draw(self, request: GenerationRequest, facts: Facts, workflow: Workflow | None, uploads: Uploads) -> Graph:
        """Build the graph; with a large workflow that takes a while.

        Raises:
            RequestRejected: it cannot be built, or needs what the server does not have.
        """
        if workflow:
            drawing = draw(workflow, request, uploads, facts.info)
        else:
            drawing = build(request, facts, self._options, uploads)
            if lacking := check(drawing.graph, facts.info):
                raise lacking
        return spread(drawing.graph, drawing.seeds, request.seed, max(1, request.batch_size))

    async def _queue(self, graph: Graph, prompt_id: str) -> str:
        """Post the job and return its id; an older server may choose another one than ours."""
        preview = option_of(self._options, "preview", "auto")
        body: dict[str, Any] = {
            "prompt": graph,
            "prompt_id": prompt_id,
            "client_id": prompt_id,
            "extra_data": {"preview_method": preview},
        }
        sending = asyncio.create_task(self._send(body, prompt_id))
        try:
            answer = await asyncio.shield(sending)
        except asyncio.CancelledError:
            # It may be queued a moment from now, so what it becomes is waited for before it is taken out again.
            await asyncio.wait([sending], timeout=self._pace.accept_s)
            is_known = sending.done() and not sending.cancelled() and sending.exception() is None
            sending.cancel()
            await stop_remote(self, sending.result().prompt_id if is_known else prompt_id)
            raise
        except GenerationError:
            await self._forget(prompt_id)
            raise
        mistake = invalid(self._label, answer.node_errors)
        if mistake:
            await self._forget(prompt_id)
            await stop_remote(self, answer.prompt_id)
            raise mistake
        if answer.prompt_id != prompt_id:
            watch = self._watches.pop(prompt_id)
            watch.reader.prompt_id = answer.prompt_id
            self._watches[answer.prompt_id] = watch
        return answer.prompt_id

    async def _send(self, body: dict[str, Any], prompt_id: str) -> PromptAnswer:
        content = await run_in_thread(lambda: json.dumps(body).encode())
        try:
            return await self._server.prompt(content)
        except BackendUnavailable as error:
            if error.may_have_run and await self._is_there(prompt_id):
                log.info("answer lost, job found", extra={"action": "answer_lost", "backend": self.name})
                return PromptAnswer(prompt_id=prompt_id)
            raise

    async def _is_there(self, prompt_id: str) -> bool:
        """Whether a job whose answer was lost was accepted all the same."""
        try:
            return await self._is_known(prompt_id, await self._server.queue())
        except GenerationError:
            return False

    async def _is_known(self, prompt_id: str, queue: Queue) -> bool:
        """Return whether a job waits, runs or has ended; `queue` as it was a moment ago."""
        waits = queue.running(prompt_id) is not None or queue.position(prompt_id) is not None
        return waits or await self._server.history(prompt_id) is not None

    async def _look(self, remote_id: str, watch: Watch) -> RemoteState:
        """Ask the server where a job stands.

        Raises:
            BackendUnavailable: it is gone, or the server has been away for too long.
        """
        now = self._clock.monotonic()
        try:
            if await self._server.history(remote_id) is not None:
                return RemoteState(is_finished=True, progress=watch.progress)
            queue = await self._server.queue()
        except BackendUnavailable:
            watch.answered_at = now if watch.answered_at is None else watch.answered_at
            if now - watch.answered_at > self._pace.patience_s:
                raise
            note = "the engine does not answer just now"
            return self._running(watch, replace(watch.progress, note=note))
        watch.answered_at = now
        running, position = queue.running(remote_id), queue.position(remote_id)
        if running is None and position is None:
            # Once may be the moment between running and finished; twice is a restart, or somebody cleared the queue.
            watch.missing += 1
            if watch.missing > 1:
                raise self._lost()
            return RemoteState(is_finished=False, progress=watch.progress, poll_after_s=self._pace.report_s)
        watch.missing = 0
        ahead = len(queue.queue_running) + (position or 0)
        watch.place = f"{ahead} ahead of it in the engine’s own queue" if running is None and ahead else ""
        if running is not None and len(running) > 2:
            watch.reader.know(read_graph(running[2]))
        return self._running(watch, watch.progress)

    def _running(self, watch: Watch, progress: Progress) -> RemoteState:
        # a websocket is listened to by `poll` itself; after its last word the history follows within a moment
        has_socket = watch.is_connected or watch.reader.is_over
        pause = self._pace.report_s if has_socket else self._pace.poll_s
        return RemoteState(is_finished=False, progress=progress, poll_after_s=pause)

    def _lost(self) -> BackendUnavailable:
        return BackendUnavailable(
            f"{self._label} does not know this job any more.",
            retry_after=0.0,  # it keeps its turn: those behind it must not overtake it
            hint="It was restarted, or its queue was cleared. Run it again.",
            may_have_run=True,
        )

    def _watch(self, prompt_id: str) -> Watch:
        watch = self._watches.get(prompt_id)
        if watch is None:
            # The client id is the job's own: one that is used twice at once falls silent when the older one closes.
            watch = Watch(self._client, prompt_id, prompt_id, self._pace.backoff_s)
            self._watches[prompt_id] = watch
        return watch

    async def _forget(self, prompt_id: str) -> None:
        watch = self._watches.pop(prompt_id, None)
        if watch:
            await watch.aclose()
