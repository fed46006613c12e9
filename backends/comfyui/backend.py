"""ComfyUI: a graph is queued and followed, and its pictures are fetched, by whichever of its two APIs it answers.

Source: recorded answers of ComfyUI 0.33 (`tests/data/comfyui`) and of comfy-api-proxy 0.1.6 (`tests/data/comfyui/v2`).
What a server has is asked by the classic API alone: v2 does not tell it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

import httpx

from backends.base import (
    BackendConfig,
    DeviceMemory,
    KnownIds,
    ProgressCallback,
    ReadWorkflow,
    RemoteState,
    Sending,
    follow,
    stop_remote,
    unnoted,
)
from backends.comfyui.answers import read_outputs
from backends.comfyui.builtin.graphs import Uploads, build, changes
from backends.comfyui.builtin.offer import to_capabilities
from backends.comfyui.errors import check, check_nodes, failed, no_model, no_picture
from backends.comfyui.facts import ComfyFacts, read_facts
from backends.comfyui.graphs.graph import Graph, spread
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.jobs.api import ApiGone, JobApi
from backends.comfyui.jobs.fetching import fetch_file
from backends.comfyui.jobs.line import Line
from backends.comfyui.jobs.uploading import upload
from backends.comfyui.kind import NAME
from backends.comfyui.news.following import ComfyPace, Follower
from backends.comfyui.workflows.apply import workflow_capabilities, workflow_changes
from backends.comfyui.workflows.own import correct, draw, load_own, look_over, read_upload
from backends.comfyui.workflows.workflow import Workflow, load_workflow, open_workflow, to_graph
from backends.kind import option_of
from generation.capabilities import Capabilities
from generation.errors import BackendError, CapabilityError, GenerationError, RequestRejected, UnexpectedAnswer
from generation.request import GenerationRequest, Mode, WorkflowRef
from generation.result import GenerationResult
from net.calls import translated
from net.client import key_auth, make_client
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

log = logging.getLogger(__name__)


class ComfyUIBackend:
    """One ComfyUI server.

    Options: `workflow` (path of a workflow file), `model`, `family`, `vae`, `t5`, `clip_l`, `clip_g`, `upscaler`,
    `preview` (auto, latent2rgb, taesd, none), `save_on_server`, `max_side`, `max_batch`, `own_workflows`.
    `key` is `user:password` or a token for the proxy in front.
    """

    kind = NAME
    is_paid = False
    can_find = True

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pace: ComfyPace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options: Mapping[str, str] = config.options
        self._pace = pace or ComfyPace()
        self._clock = clock or SystemClock()
        self._client = make_client(config.endpoint, transport=transport, auth=key_auth(config.key))
        self._line = Line(self._label, self._client)
        self._follower = Follower(self._label, self._line, self._pace, self._clock)
        self._facts: ComfyFacts | None = None
        self._workflow: Workflow | None = None

    async def capabilities(self) -> Capabilities:
        """Read the server's nodes, models and names again; with a workflow, what that makes of them."""
        facts = await self._probe()
        path = self._options.get("workflow", "").strip()
        if not path:
            can = to_capabilities(facts, self._options)
            if not can.modes and not can.supports_workflows:
                raise no_model(self._label, facts.info)
            return can
        try:
            self._workflow = await run_in_thread(load_workflow, path, facts.info)
        except RequestRejected as error:
            failure = BackendError(error.user_message, detail=error.detail, hint=error.hint)
            raise failure.for_owner(error.owner_hint) from error
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
        """Upload what is needed, check the graph and queue it; return the job's id.

        `sending` is told what it is sent with: its id where that is ours, else the key that is used once.
        """
        facts, workflow = await self._known(request)
        api = await self._line.settled()
        try:
            return await self._start(api, request, sending, facts, workflow)
        except ApiGone:
            if not self._line.has_classic:
                raise
            return await self._start(self._line.give_up_v2(), request, sending, facts, workflow)

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        """Look for a job by what it was sent with."""
        return await self._line.find(intent)

    async def poll(self, remote_id: str) -> RemoteState:
        """Wait a moment for news of a job, and ask for it over HTTP when that is due."""
        return await self._follower.poll(remote_id)

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures and videos of a finished job, or raise what it died of."""
        return await self._line.ask(lambda api: self._fetched(api, remote_id, request))

    async def cancel(self, remote_id: str) -> None:
        """Take a job out of the queue, or stop it if it runs; never anybody else's."""
        await self._follower.forget(remote_id)
        await self._line.cancel(remote_id)

    async def memory(self) -> tuple[DeviceMemory, ...]:
        """Return the memory of the server's GPUs."""
        return (await self._line.classic.server.devices()).memory()

    async def read_workflow(self, content: bytes) -> ReadWorkflow:
        """Find out what the inputs of an uploaded file are for; the server is asked what it has now."""
        opened = await run_in_thread(open_workflow, content)
        facts = await self._probe()
        graph = await run_in_thread(to_graph, opened, facts.info)
        return await run_in_thread(read_upload, graph, facts.info)

    async def correct_workflow(self, workflow: WorkflowRef, field: str, place: str) -> ReadWorkflow:
        """Set where a value goes; what the server lacks is told where it answers."""
        if self._facts is None:
            with contextlib.suppress(BackendError):
                await self._probe()
        return await run_in_thread(correct, workflow, field, place, self._facts.info if self._facts else None)

    async def workflow_capabilities(self, workflow: WorkflowRef) -> Capabilities:
        """Return what a workflow can do here; a list of nodes that is too old is read again."""
        own = await run_in_thread(load_own, workflow)
        facts = self._facts or await self._probe()
        if await run_in_thread(check_nodes, own.graph, facts.info):
            facts = await self._probe()
        if lacking := await run_in_thread(check_nodes, own.graph, facts.info):
            raise lacking
        return await run_in_thread(workflow_capabilities, own, facts, self._options)

    async def look_over(self, workflow: WorkflowRef, request: GenerationRequest) -> tuple[str, ...]:
        """Return remarks on how a request is drawn with a workflow; a list of files that is too old is read again."""
        own = await run_in_thread(load_own, workflow)
        if self._facts is not None:
            with contextlib.suppress(CapabilityError):
                if not (notes := await run_in_thread(look_over, own, request, self._facts)):
                    return tuple(notes)
        return tuple(await run_in_thread(look_over, own, request, await self._probe()))

    async def aclose(self) -> None:
        await self._follower.aclose()
        await self._client.aclose()

    async def _probe(self) -> ComfyFacts:
        """Ask by which API the server's jobs go, and what it has."""
        is_v2, facts = await asyncio.gather(self._line.choose(), self._read_facts())
        if isinstance(facts, UnexpectedAnswer):
            if not is_v2 and self._line.has_classic:
                raise facts
            await self._line.v2.check()
            facts = ComfyFacts(info=ObjectInfo({}))
        self._line.has_classic = facts.info.is_told
        self._facts = facts
        self._line.classic.version = facts.version
        return facts

    async def _read_facts(self) -> ComfyFacts | UnexpectedAnswer:
        """Return what the server has; the error where it does not answer by the classic API."""
        server = self._line.classic.server
        try:
            stats, info, embeddings = await asyncio.gather(server.stats(), server.object_info(), server.embeddings())
        except UnexpectedAnswer as error:
            return error
        return await run_in_thread(read_facts, stats.system.comfyui_version, info, self._options, embeddings)

    async def _known(self, request: GenerationRequest) -> tuple[ComfyFacts, Workflow | None]:
        """Return what is known of the server, and the workflow that is drawn with: the request's, or this engine's."""
        if request.workflow:
            return self._facts or await self._probe(), await run_in_thread(load_own, request.workflow)
        if self._facts is None or (self._options.get("workflow") and self._workflow is None):
            await self.capabilities()
        assert self._facts is not None
        return self._facts, self._workflow

    async def _graph(
        self, request: GenerationRequest, facts: ComfyFacts, workflow: Workflow | None, uploads: Uploads
    ) -> Graph:
        """Build the graph, and look whether all of it is there; a list that is too old is read again once."""
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

    def _draw(
        self, request: GenerationRequest, facts: ComfyFacts, workflow: Workflow | None, uploads: Uploads
    ) -> Graph:
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

    async def _start(
        self,
        api: JobApi,
        request: GenerationRequest,
        sending: Sending,
        facts: ComfyFacts,
        workflow: Workflow | None,
    ) -> str:
        uploads = await upload(api, request, has_workflow=workflow is not None)
        graph = await self._graph(request, facts, workflow, uploads)
        intent = api.new_intent()
        try:
            if api.takes_ids:
                watch = self._follower.watch(intent, api, graph)
                with contextlib.suppress(TimeoutError):  # it is followed without news then
                    async with asyncio.timeout(self._pace.open_s):
                        await watch.opened.wait()
            await sending(intent)
            job_id = await self._submit(api, graph, intent)
        except BaseException:
            await self._follower.forget(intent)
            raise
        self._follower.rename(intent, job_id)
        self._follower.watch(job_id, api, graph)
        return job_id

    async def _submit(self, api: JobApi, graph: Graph, intent: str) -> str:
        """Queue the job and return its id; a job that is cancelled meanwhile is taken out again."""
        preview = option_of(self._options, "preview", "auto")
        sending = asyncio.create_task(api.submit(graph, intent, preview))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            # It may be queued a moment from now, so what it becomes is waited for before it is taken out again.
            await asyncio.wait([sending], timeout=self._pace.accept_s)
            is_known = sending.done() and not sending.cancelled() and sending.exception() is None
            sending.cancel()
            await self._withdraw(api, intent, sending.result() if is_known else None)
            raise

    async def _withdraw(self, api: JobApi, intent: str, job_id: str | None) -> None:
        """Cancel a job that may have been sent, by its id if that is known."""
        if job_id is None and not api.takes_ids:
            with contextlib.suppress(GenerationError, TimeoutError):
                async with asyncio.timeout(self._pace.accept_s):
                    job_id = await api.find(intent)
        if job_id or api.takes_ids:
            await stop_remote(self, job_id or intent)

    async def _fetched(self, api: JobApi, remote_id: str, request: GenerationRequest) -> GenerationResult:
        entry = await api.outcome(remote_id)
        if entry is None:
            raise self._follower.lost()
        if entry.status and (entry.status.status_str == "error" or not entry.status.completed):
            raise failed(self._label, entry.status)
        with translated(self._label):
            outputs = await run_in_thread(read_outputs, entry)
        if not outputs and api is self._line.v2 and self._line.has_classic:  # v2 lists only some kinds of files
            return await self._fetched(self._line.classic, remote_id, request)
        shown = [output for output in outputs if output.file.is_shown]
        if not shown:
            raise no_picture(self._label, outputs)
        images = [await fetch_file(api, self._label, output, request.seed) for output in shown]
        facts, workflow = await self._known(request)
        notes = workflow_changes(workflow, request) if workflow else changes(request, facts)
        if len(outputs) > len(shown):
            left = len(outputs) - len(shown)
            notes.append(_("{left} more file(s) are neither pictures nor videos: they stay on the engine", left=left))
        model = facts.model(request.model) if not workflow and request.mode is not Mode.UPSCALE else None
        return GenerationResult(
            images=tuple(images),
            model=model.title if model else None,
            notes=tuple(notes),
            is_complete=entry.status is not None,  # old versions do not say how a job ended
        )
