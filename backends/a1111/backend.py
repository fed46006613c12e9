"""AUTOMATIC1111, Forge and their forks: `POST /sdapi/v1/txt2img` answers when the pictures are finished.

Source: the servers' own `/openapi.json` and recorded answers (`tests/data/a1111`, `tests/data/forge`). There is no job
id that outlives the connection, so a run is not resumed after a restart of Easel; what a proxy cuts off is fetched
from the server's files instead, where that is switched on.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx

from backends.a1111.answers import (
    read_answer,
    read_caption,
    read_files,
    read_memory,
    read_scheduled,
    read_upscaled,
)
from backends.a1111.errors import translate_failure
from backends.a1111.extensions.agent_scheduler import AgentScheduler, to_scheduled
from backends.a1111.facts import A1111Facts, Program, to_capabilities
from backends.a1111.kind import NAME
from backends.a1111.payload import changes, seeding, to_payload, to_question, to_upscale
from backends.a1111.probe import API, probe
from backends.a1111.progress import A1111Pace, Task, TaskWatch
from backends.base import BackendConfig, DeviceMemory, ProgressCallback
from backends.kind import is_on, option_of
from generation.capabilities import Capabilities
from generation.errors import BackendError, BackendUnavailable, CapabilityError, GenerationError
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from net.answers import write_json
from net.calls import JSON, Calls
from net.client import key_auth, make_client
from net.failures import PROXY_STATUSES
from texts.text import _
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

MAX_ANSWER_OVERHEAD_BYTES = 8 * 1024 * 1024  # parameters and infotexts around the pictures
BYTES_PER_PIXEL = 6  # RGBA in a PNG that does not compress, as base64
# Proxies that hang up on a request after some 100 s while the server draws on.
IMPATIENT_HOSTS: Final = (
    ".proxy.runpod.net", ".trycloudflare.com", ".ngrok.io", ".ngrok.app", ".ngrok-free.app", ".ngrok-free.dev",
    ".gradio.live", ".loca.lt",
)  # fmt: skip


class _AnswerLost(Exception):
    """The connection ended before the answer, while the server may be drawing on."""

    def __init__(self, error: GenerationError) -> None:
        super().__init__(str(error))
        self.error = error


class A1111Backend:
    """One server of the A1111 family.

    Options: `recover` and `agent_scheduler` (auto, always, never), `seed_options` and `soft_inpainting` (yes, no),
    `upscaler`, `max_side`, `max_batch`, `preview_every`.
    `key` is `user:password` of `--api-auth`, or a token for a proxy in front.
    """

    kind = NAME
    is_paid = False

    def __init__(
        self, config: BackendConfig, *, transport: httpx.AsyncBaseTransport | None = None, pace: A1111Pace | None = None
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options: Mapping[str, str] = config.options
        self._timeout_s = config.timeout_s
        self._pace = pace or A1111Pace()
        auth = key_auth(config.key)
        client = make_client(config.endpoint, transport=transport, auth=auth)
        self._calls = Calls(self._label, client)
        # Jobs get sockets of their own: Forge resets the connection after a 500, and the next request would fail.
        jobs = make_client(config.endpoint, transport=transport, auth=auth)
        jobs.headers["Connection"] = "close"
        self._jobs = Calls(self._label, jobs, refusal=translate_failure)
        self._watch = TaskWatch(self._calls, self._pace)
        scheduled = Calls(self._label, client, refusal=translate_failure)
        self._scheduler = AgentScheduler(scheduled, self._watch, self._pace)
        self._facts: A1111Facts | None = None
        self._is_seeded = False
        self._in_flight = 0
        self._stopping: set[asyncio.Task[bool]] = set()

    async def capabilities(self) -> Capabilities:
        """Probe the server again; its first settings are kept, since overrides of ours may stick to later ones."""
        facts = await probe(self._calls)
        if self._facts and self._facts.settings:
            facts = replace(facts, settings=self._facts.settings)
        self._facts = facts
        return to_capabilities(facts, self._options)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Run one txt2img, img2img or inpaint job and wait for its pictures.

        Raises:
            BackendUnavailable: no answer, or it was lost on the way.
            OutOfMemory, RequestRejected, BackendError: what the server says of the request.
            UnexpectedAnswer: no pictures in the answer, or broken ones.
        """
        facts = await self._known_facts()
        if request.mode is Mode.UPSCALE:
            return await self._upscale(request, report, facts)
        if facts.has_scheduler and self._chooses("agent_scheduler"):
            result = await self._run_scheduled(request, report, facts)
        else:
            result = await self._run_direct(request, report, facts)
        return replace(result, notes=(*changes(request, facts), *result.notes))

    async def describe(self, image: SourceImage) -> str:
        """Return what a picture shows, in the words of a prompt.

        Raises:
            CapabilityError: this server cannot.
            BackendError: it failed, or does not answer.
        """
        facts = await self._known_facts()
        if not facts.has_interrogate:
            raise CapabilityError(_("{label} cannot describe pictures.", label=self._label))
        content = await run_in_thread(lambda: write_json(to_question(image)))
        try:
            body = await self._post(f"{API}/interrogate", content, MAX_ANSWER_OVERHEAD_BYTES)
        except _AnswerLost as lost:
            raise lost.error from lost
        return read_caption(self._label, body)

    async def memory(self) -> tuple[DeviceMemory, ...]:
        """Return the memory of the server's GPU."""
        return read_memory(self._label, await self._calls.fetch("GET", f"{API}/memory"))

    async def _known_facts(self) -> A1111Facts:
        if self._facts is None:
            await self.capabilities()
        assert self._facts is not None, "capabilities has set them, or raised"
        return self._facts

    async def _run_direct(
        self, request: GenerationRequest, report: ProgressCallback, facts: A1111Facts
    ) -> GenerationResult:
        """Draw by the call that answers when the pictures are finished."""
        task = Task(id=f"easel-{secrets.token_hex(16)}", steps=request.steps, has_id=facts.has_tasks)
        keep_files = facts.has_tasks and self._chooses("recover")
        payload = await run_in_thread(to_payload, request, facts, self._options, task.id, keep_files=keep_files)
        content = await run_in_thread(write_json, payload)
        await self._seed_options(facts, keep_files)

        async with self._followed(task, report):
            try:
                path = f"{API}/txt2img" if request.mode is Mode.TXT2IMG else f"{API}/img2img"
                body = await self._post(path, content, _limit(request, payload["batch_size"] + 1), task, report)
            except _AnswerLost as lost:
                if not keep_files:
                    self._stop_later(task, self._timeout_s)  # nobody will see those pictures
                    raise lost.error from lost
                result = await self._recover(request, payload, task, facts, lost.error)
            else:
                result = await run_in_thread(read_answer, self._label, body, request, payload, facts)
            return await self._judged(result, task)

    async def _run_scheduled(
        self, request: GenerationRequest, report: ProgressCallback, facts: A1111Facts
    ) -> GenerationResult:
        """Draw by way of the agent-scheduler's job list."""
        task = Task(id=f"easel-{secrets.token_hex(16)}", steps=request.steps, has_id=False)
        payload = await run_in_thread(to_payload, request, facts, self._options, task.id, keep_files=False)
        content = await run_in_thread(lambda: write_json(to_scheduled(payload)))
        await self._seed_options(facts, keep_files=False)
        mode = "txt2img" if request.mode is Mode.TXT2IMG else "img2img"
        submitted = asyncio.create_task(self._scheduler.submit(mode, content))
        try:
            remote_id = await asyncio.shield(submitted)
            await self._scheduler.wait(remote_id, task, report)
            body = await self._scheduler.results(remote_id, _limit(request, payload["batch_size"] + 1))
        except asyncio.CancelledError:
            await self._let_stop(asyncio.create_task(self._take_back(submitted)))
            raise
        result = await run_in_thread(read_scheduled, self._label, body, request, payload, facts)
        return await self._judged(result, task)

    async def _judged(self, result: GenerationResult, task: Task) -> GenerationResult:
        """Mark pictures of which it is not known that nobody stopped them half-way."""
        is_whole = await (task.verdict or self._watch.is_whole(task))
        if is_whole and self._facts and self._facts.family is Program.SDNEXT:
            is_whole = None  # it sets the flag back at the end of a job
        notes = (*result.notes, task.stop_note) if is_whole is False else result.notes
        return replace(result, notes=notes, is_complete=is_whole is True)

    async def _take_back(self, submitted: asyncio.Task[str]) -> bool:
        try:
            remote_id = await submitted
        except GenerationError:
            return False
        return await self._scheduler.stop(remote_id, max(self._timeout_s, self._pace.cancel_wait_s))

    async def _upscale(
        self, request: GenerationRequest, report: ProgressCallback, facts: A1111Facts
    ) -> GenerationResult:
        task = Task(id="", steps=1, has_id=False)  # extras know no task ids
        payload, pixels = await run_in_thread(to_upscale, request, facts, self._options)
        content = await run_in_thread(write_json, payload)
        async with self._followed(task, report):
            try:
                limit = MAX_ANSWER_OVERHEAD_BYTES + BYTES_PER_PIXEL * pixels
                body = await self._post(f"{API}/extra-single-image", content, limit, task)
            except _AnswerLost as lost:
                self._stop_later(task, self._timeout_s)
                raise lost.error from lost
            result = await run_in_thread(read_upscaled, self._label, body, request, payload["upscaler_1"])
            return await self._judged(result, task)

    @asynccontextmanager
    async def _followed(self, task: Task, report: ProgressCallback) -> AsyncIterator[None]:
        """Report progress of the task meanwhile, and stop it on the server when cancelled."""
        is_first, self._in_flight = self._in_flight == 0, self._in_flight + 1
        watcher = None
        try:
            if not task.has_id:
                server = await self._watch.server_state()
                task.was_alone = is_first and server is not None and server.is_idle
            watcher = asyncio.create_task(self._watch.report(task, report))
            yield
        except asyncio.CancelledError:
            if task.was_sent:
                await self._let_stop(self._stop_later(task, max(self._timeout_s, self._pace.cancel_wait_s)))
            raise
        finally:
            self._in_flight -= 1
            beside = {asked for asked in (watcher, task.verdict) if asked}
            for asked in beside:
                asked.cancel()
            if beside:
                await asyncio.wait(beside)

    async def aclose(self) -> None:
        for task in tuple(self._stopping):
            task.cancel()
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._jobs.aclose()
        await self._calls.aclose()

    async def _post(
        self,
        path: str,
        content: bytes,
        limit: int,
        task: Task | None = None,
        report: ProgressCallback | None = None,
    ) -> bytes:
        """Ask for pictures; `report` is told as soon as their answer begins: the server is free then."""
        if task:
            task.was_sent = True
        try:
            async with self._jobs.open("POST", path, content=content, headers=JSON) as response:
                if task and report and response.status_code == HTTPStatus.OK:
                    await self._watch.drawn(task, report)
                reply = await self._jobs.whole(response, limit)
        except BackendUnavailable as error:
            if error.may_have_run:
                raise _AnswerLost(error) from error
            raise
        if reply.status == HTTPStatus.OK and not reply.is_page:
            return reply.body
        failure = self._jobs.refused(reply)
        if reply.status in PROXY_STATUSES and isinstance(failure, BackendError) and failure.may_have_run:
            raise _AnswerLost(failure)
        raise failure

    async def _recover(
        self, request: GenerationRequest, payload: dict[str, Any], task: Task, facts: A1111Facts, lost: GenerationError
    ) -> GenerationResult:
        """Wait for the end of a job whose answer was lost, and fetch its pictures from the server's files.

        Never sent again: the server draws on, and a second one would only wait behind the first.
        """
        log.info("answer lost, waiting for the files", extra={"action": "answer_lost", "backend": self.name})
        if not await self._watch.finish(task, max(self._timeout_s, self._pace.recover_s)):
            self._stop_later(task, self._timeout_s)
            raise lost
        which = "outdir_txt2img_samples" if request.mode is Mode.TXT2IMG else "outdir_img2img_samples"
        default = "outputs/txt2img-images" if request.mode is Mode.TXT2IMG else "outputs/img2img-images"
        folder = facts.setting("outdir_samples", "") or facts.setting(which, "") or default
        limit = _limit(request, 1)
        files = []
        for number in range(1, payload["batch_size"] + 1):
            path = quote(f"{folder}/{task.id}-{number}.png", safe="/:\\")
            reply = await self._calls.call("GET", f"/file={path}", limit=limit, may_have_run=True)
            if reply.status != HTTPStatus.OK:
                raise BackendUnavailable(
                    _("{label} lost the answer on the way, and its file is not there.", label=self._label),
                    detail=f"HTTP {reply.status} for the file; before: {lost.detail}",
                    hint=_("Try again, smaller or with fewer steps."),
                    may_have_run=True,
                )
            files.append(reply.body)
        return await run_in_thread(read_files, self._label, files, request)

    def _chooses(self, option: str) -> bool:
        """Return whether what guards against impatient proxies is wanted: `recover` or `agent_scheduler`."""
        choice = option_of(self._options, option, "auto")
        if choice in {"always", "never"}:
            return choice == "always"
        return self._calls.client.base_url.host.endswith(IMPATIENT_HOSTS)

    async def _seed_options(self, facts: A1111Facts, keep_files: bool) -> None:
        """Save the server's present values of what we override, once: it restores only what its config holds.

        That writes its config.json, so it is done only where files are named by us, or where the owner wants it.
        """
        if self._is_seeded or not (keep_files or is_on(self._options, "seed_options")):
            return
        values = seeding(facts)
        if not values:
            return
        self._is_seeded = True
        try:
            path, timeout_s = f"{API}/options", 10.0
            reply = await self._calls.call("POST", path, json=values, timeout=timeout_s, may_have_run=False)
            self._is_seeded = reply.is_success
        except GenerationError:
            self._is_seeded = False
            raise

    async def _let_stop(self, stopper: asyncio.Task[bool]) -> None:
        """Wait a few seconds for our own work to stop, then leave that to the background."""
        self._keep(stopper)
        await asyncio.wait([stopper], timeout=self._pace.cancel_wait_s)

    def _stop_later(self, task: Task, limit_s: float) -> asyncio.Task[bool]:
        stopper = asyncio.create_task(self._watch.stop(task, limit_s))
        self._keep(stopper)
        return stopper

    def _keep(self, stopper: asyncio.Task[bool]) -> None:
        self._stopping.add(stopper)
        stopper.add_done_callback(self._stopping.discard)


def _limit(request: GenerationRequest, pictures: int) -> int:
    """Return how many bytes an answer with so many pictures may have."""
    width, height = request.result_size
    return MAX_ANSWER_OVERHEAD_BYTES + BYTES_PER_PIXEL * width * height * pictures
