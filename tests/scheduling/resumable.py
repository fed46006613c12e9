"""A backend whose server gives a job id: the test decides when the remote job is finished."""

import asyncio

from backends.base import ProgressCallback, RemoteState
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


def is_error(outcome: object, code: str) -> bool:
    return isinstance(outcome, GenerationError) and outcome.code == code
