"""A backend whose server gives a job id: the test decides when the remote job is finished."""

import asyncio

from backends.base import KnownIds, ProgressCallback, RemoteState, Sending, unnoted
from generation.errors import GenerationError
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GeneratedImage, GenerationResult
from tests.fakes import ONE_PIXEL_PNG, FakeBackend


class FakeResumableBackend(FakeBackend):
    """`finish()` ends the remote jobs; the lists hold what was asked of the server."""

    def __init__(self, name: str = "fake", *, is_paid: bool = False, poll_after_s: float = 0.0) -> None:
        super().__init__(name, is_paid=is_paid)
        self.started: list[str] = []
        self.polled: list[str] = []
        self.fetched: list[str] = []
        self.remote_cancelled: list[str] = []
        self.cancel_error: Exception | None = None
        self._poll_after_s = poll_after_s
        self._is_finished = False

    def finish(self) -> None:
        self._is_finished = True

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        raise AssertionError("a resumable backend is started and polled")

    async def start(self, request: GenerationRequest) -> str:
        self.requests.append(request)
        if self.fail:
            raise self.fail.pop(0)
        self.started.append(f"remote{len(self.started) + 1}")
        return self.started[-1]

    async def poll(self, remote_id: str) -> RemoteState:
        await asyncio.sleep(0)
        self.polled.append(remote_id)
        return RemoteState(
            is_finished=self._is_finished, progress=Progress(fraction=0.5), poll_after_s=self._poll_after_s
        )

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        self.fetched.append(remote_id)
        return GenerationResult(images=(GeneratedImage(data=ONE_PIXEL_PNG, seed=request.seed),))

    async def cancel(self, remote_id: str) -> None:
        self.remote_cancelled.append(remote_id)
        if self.cancel_error:
            raise self.cancel_error


class FakeFindingBackend(FakeResumableBackend):
    """`taken`: what the server has by the intent it was sent with; `hangs`: it takes a job and never answers."""

    def __init__(self, name: str = "fake", *, is_paid: bool = False, can_find: bool = True) -> None:
        super().__init__(name, is_paid=is_paid)
        self.can_find = can_find
        self.taken: dict[str, str] = {}
        self.looked_for: list[str] = []
        self.find_errors: list[GenerationError] = []
        self.hangs = False

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        intent = f"intent{len(self.taken) + 1}"
        await sending(intent)
        remote_id = self.taken[intent] = f"remote{len(self.taken) + 1}"
        if self.hangs:
            await asyncio.Event().wait()
        return await super().start(request) and remote_id

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        self.looked_for.append(intent)
        if self.find_errors:
            raise self.find_errors.pop(0)
        remote_id = self.taken.get(intent)
        return remote_id if remote_id not in await known() else None


def is_error(outcome: object, code: str) -> bool:
    return isinstance(outcome, GenerationError) and outcome.code == code
