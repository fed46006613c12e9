from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.base import Backend
from generation.errors import BackendError, BackendUnavailable
from tests.contracts.backend_contract import BackendContract
from tests.fakes import FakeBackend


class FakeRig:
    def __init__(self, backend: FakeBackend) -> None:
        self.fake = backend
        self.backend: Backend = backend

    def is_working(self) -> bool:
        return self.fake.running > 0

    def fail_next(self) -> None:
        self.fake.fail.append(BackendError("It broke."))

    async def take_down(self) -> None:
        self.fake.is_down = BackendUnavailable()


class TestFakeBackend(BackendContract):
    size = (1, 1)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[FakeRig]:
        yield FakeRig(FakeBackend(hold=hold))
