"""The interface of every backend: a name, capabilities and `generate`; resumable ones can be picked up after a restart.

A backend neither retries, nor waits its turn, nor knows Discord: the queue does these once for all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol, runtime_checkable

from generation.capabilities import Capabilities
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage, WorkflowRef
from generation.result import GenerationResult
from lazy import dataclass
from net.endpoint import Endpoint
from utils.clock import Clock
from utils.urls import UrlPolicy

log = logging.getLogger(__name__)

REMOTE_CANCEL_TIMEOUT_S = 5.0

ProgressCallback = Callable[[Progress], Awaitable[None]]
Sending = Callable[[str], Awaitable[None]]  # given what a run is looked for by, just before it is sent
KnownIds = Callable[[], Awaitable[Collection[str]]]  # the ids that other jobs of ours have on the same server


@dataclass(frozen=True, kw_only=True)
class BackendConfig:
    """One configured instance. `key` is a secret; `options` are the instance's own settings, names in lower case."""

    name: str
    kind: str
    url: str = ""
    key: str = field(default="", repr=False)
    label: str = ""  # what people see; never a URL
    timeout_s: float = 300.0
    allow_private: bool = True  # False for addresses typed by users: loopback and private ranges are refused
    allow_insecure_http: bool = True
    allowed_hosts: tuple[str, ...] = ()  # empty = every public host
    is_typed: bool = False  # in Discord: every address it leads to is checked, even where private ones are allowed
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def policy(self) -> UrlPolicy:
        return UrlPolicy(
            allow_private=self.allow_private,
            allow_insecure_http=self.allow_insecure_http,
            allowed_hosts=self.allowed_hosts,
        )

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=self.url,
            timeout_s=self.timeout_s,
            policy=self.policy,
            is_trusted=self.allow_private and not self.is_typed,
        )


class Backend(Protocol):
    """One engine instance.

    `generate` may be cancelled at any await: it then stops its own work on the server, never anybody else's,
    waits at most a few seconds for that, and lets `asyncio.CancelledError` through.
    """

    name: str
    kind: str
    is_paid: bool  # True: a request that may have been accepted is never sent again by itself

    async def capabilities(self) -> Capabilities:
        """Ask the server what it can do now; also the health check.

        Raises:
            BackendError: it does not answer, refuses the key, or is another product.
        """
        ...

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Make the pictures of one request that `fit` has bent to these capabilities.

        Raises:
            GenerationError: see `generation.errors`; never an httpx, JSON or validation error.
        """
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RemoteState:
    """The state of a job of ours on a server. `poll_after_s`: when to ask again."""

    is_finished: bool
    progress: Progress = field(default_factory=Progress)
    poll_after_s: float = 1.0


@runtime_checkable
class QuotingBackend(Backend, Protocol):
    """A backend that can say before a run what it will cost."""

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request costs now in US dollars; None where the server does not say.

        Raises:
            BackendError: it does not answer.
        """
        ...


@runtime_checkable
class ResumableBackend(Backend, Protocol):
    """A backend whose server gives a job id: a run can be picked up after a restart of Easel."""

    async def start(self, request: GenerationRequest) -> str: ...

    async def poll(self, remote_id: str) -> RemoteState: ...

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult: ...

    async def cancel(self, remote_id: str) -> None: ...


async def unnoted(intent: str) -> None:
    """Stand in where nobody will look for a run."""


@runtime_checkable
class FindingBackend(ResumableBackend, Protocol):
    """A resumable backend that can look for a run whose id was lost: Easel was killed, or the answer went missing."""

    can_find: bool  # whether this server and account allow it

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        """Submit one job and return its id; `sending` is awaited when all is ready, just before it leaves."""
        ...

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        """Return the id of a run that may have been submitted, None where the server never took it.

        Args:
            intent: as `sending` was given; empty when an older version of Easel sent it.
            request: what was submitted.
            known: runs of these ids are other jobs'.

        Raises:
            BackendError: the server does not tell it now.
        """
        ...


@runtime_checkable
class AnnouncedBackend(ResumableBackend, Protocol):
    """A backend whose server calls back when a job of ours changes."""

    def announce(self, remote_id: str) -> bool:
        """Have a job asked for now; return whether it is one that this backend follows."""
        ...


@runtime_checkable
class DescribingBackend(Backend, Protocol):
    """A backend that can say what a picture shows; `Capabilities.supports_describe` tells whether this one can now."""

    async def describe(self, image: SourceImage) -> str: ...


@runtime_checkable
class ComposingBackend(Backend, Protocol):
    """A backend that writes a line into its pictures. Another may go on with a bare one, which is signed at the end."""

    async def compose(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Draw as `generate` does, with nothing written into the pictures."""
        ...

    async def sign(self, data: bytes, line: str) -> bytes:
        """Return a picture with a line in its corner, as a PNG."""
        ...


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in the memory of an engine: on what, in which precision, in which way, and since when."""

    model: str
    device: str
    device_title: str
    dtype: str
    way: str
    since: datetime
    total_mb: int | None = None  # of the device's memory
    free_mb: int | None = None

    @property
    def used_mb(self) -> int | None:
        return None if self.total_mb is None or self.free_mb is None else self.total_mb - self.free_mb


@dataclass(frozen=True, kw_only=True)
class DeviceMemory:
    """The memory of a device that an engine draws on."""

    device: str
    total_bytes: int
    free_bytes: int


@runtime_checkable
class MemoryTellingBackend(Backend, Protocol):
    """A backend whose server tells of its GPUs' memory."""

    async def memory(self) -> tuple[DeviceMemory, ...]:
        """Return what is told now; nothing where there is no GPU.

        Raises:
            BackendError: it does not answer.
        """
        ...


@runtime_checkable
class LoadingBackend(Backend, Protocol):
    """A backend whose models can be loaded before they are needed, and let go."""

    def loaded(self) -> LoadedModel | None: ...

    async def load(self, model: str) -> LoadedModel:
        """Have a model in memory, the usual one for an empty name.

        Raises:
            RequestRejected: there is no such model.
            BackendError: it cannot be loaded.
        """
        ...

    async def unload(self) -> None: ...


class Neighbour(Protocol):
    """Another engine of the same registry."""

    @property
    def name(self) -> str: ...
    @property
    def backend(self) -> Backend: ...
    @property
    def fills(self) -> Collection[Mode]: ...


class Neighbours(Protocol):
    """The registry, as far as an engine may know it that has others do its work."""

    def __iter__(self) -> Iterator[Neighbour]: ...


@runtime_checkable
class FinishingBackend(Backend, Protocol):
    """A backend that has other engines do its work, those of the registry that it is added to."""

    def work_with(self, others: Neighbours) -> None: ...


class PictureCheck(Protocol):
    """Looks at finished pictures."""

    async def score(self, data: bytes) -> float | None:
        """Return how likely a file is not safe for work, 0 to 1; None where that cannot be told."""
        ...


class ClosablePictureCheck(PictureCheck, Protocol):
    """A check that holds a process of its own."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ReadWorkflow:
    """A workflow as an engine reads it: graph and mapping as JSON to keep, and the mapping as lines for people.

    `problems` are what has to be said otherwise before it can be drawn with: files that the engine lacks.
    """

    graph: str = field(repr=False)
    mapping: str = field(repr=False)
    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()


@runtime_checkable
class WorkflowBackend(Backend, Protocol):
    """A backend that runs people's own graphs; `Capabilities.supports_workflows` tells whether this one does."""

    async def read_workflow(self, content: bytes) -> ReadWorkflow:
        """Find out what the inputs of an uploaded file are for.

        Raises:
            RequestRejected: it is no workflow that can be run; a hint says what would be.
            CapabilityError: this server lacks nodes it needs; they are named.
            BackendError: the server does not answer.
        """
        ...

    async def correct_workflow(self, workflow: WorkflowRef, field: str, place: str) -> ReadWorkflow:
        """Set by hand where a value goes: `place` is "node.input", several with commas between, or "none".

        The server is asked only where it never was, and need not answer.

        Raises:
            RequestRejected: there is no such value, node or input; what there is is named.
        """
        ...

    async def workflow_capabilities(self, workflow: WorkflowRef) -> Capabilities:
        """Return what a loaded workflow can do on this server.

        Raises:
            CapabilityError: this server lacks nodes it needs; they are named.
            BackendError: the server does not answer.
        """
        ...

    async def look_over(self, workflow: WorkflowRef, request: GenerationRequest) -> tuple[str, ...]:
        """Return remarks on how a request is drawn with a loaded workflow on this server.

        Raises:
            CapabilityError: this server lacks files for which the request names no others; they are named.
            BackendError: the server does not answer.
        """
        ...


async def poll_to_end(
    backend: ResumableBackend, remote_id: str, request: GenerationRequest, report: ProgressCallback, clock: Clock
) -> GenerationResult:
    """Poll a started remote job to its end and fetch it."""
    while not (state := await backend.poll(remote_id)).is_finished:
        await report(state.progress)
        await clock.sleep(state.poll_after_s)
    if state.progress.is_drawn:
        await report(state.progress)
    return await backend.fetch(remote_id, request)


async def stop_remote(backend: ResumableBackend, remote_id: str) -> None:
    """Cancel a remote job as well as that can be done in a few seconds; never raises but for cancellation."""
    try:
        async with asyncio.timeout(REMOTE_CANCEL_TIMEOUT_S):
            await backend.cancel(remote_id)
    except Exception:
        log.warning("could not cancel a remote job", extra={"action": "job_cancelled", "backend": backend.name})


async def follow(
    backend: ResumableBackend, remote_id: str, request: GenerationRequest, report: ProgressCallback, clock: Clock
) -> GenerationResult:
    """Poll a started remote job to its end and fetch it; on cancellation, cancel it there too."""
    try:
        return await poll_to_end(backend, remote_id, request, report, clock)
    except asyncio.CancelledError:
        await stop_remote(backend, remote_id)
        raise
