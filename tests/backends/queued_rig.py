"""Means that the tests of services with a queue share: a request, its picture, and the rig of the contract."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from backends.base import Backend, BackendConfig, FindingBackend
from backends.polling import PollPace
from backends.queued import QueuedBackend
from generation.capabilities import Fit, fit
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GenerationResult
from tests.contracts.backend_contract import BackendContract
from tests.engines.listener import QueuedListener
from tests.jobs import make_request

QUICK = PollPace(near_s=0.01, far_s=0.02, announced_s=0.05)
Connect = Callable[..., QueuedBackend[Any]]


async def ignore(_: Progress) -> None:
    pass


async def know_none() -> list[str]:
    return []


def asked(**changes: Any) -> GenerationRequest:
    return make_request(**({"width": 1024, "height": 1024, "sampler": None, "seed": 812} | changes))


def config_of(server: QueuedListener, kind: str, label: str, own_key: str, **changes: Any) -> BackendConfig:
    values: dict[str, Any] = {"name": kind, "kind": kind, "label": label, "url": server.url, "key": own_key}
    return BackendConfig(**(values | changes))


async def fitted(backend: QueuedBackend[Any], request: GenerationRequest) -> GenerationRequest:
    found = fit(request, await backend.capabilities())
    assert isinstance(found, Fit), found
    return found.request


async def drawn_by(backend: QueuedBackend[Any], request: GenerationRequest) -> GenerationResult:
    try:
        return await backend.generate(await fitted(backend, request), ignore)
    finally:
        await backend.aclose()


class QueuedRig:
    def __init__(self, server: QueuedListener, connect: Connect) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs.values())

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class QueuedContract(BackendContract):
    """The contract, and that our key goes nowhere else."""

    size = (1024, 1024)
    stand_in: ClassVar[type[QueuedListener]]
    connect: ClassVar[Connect]
    is_taken_back = True

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[QueuedRig]:
        # Where no call stops a job, what is given up by its caller ends when the server's time is up.
        async with self.stand_in(limit_s=10.0 if self.is_taken_back or not hold else 0.2) as server:
            if hold:
                server.hold()
            rig = QueuedRig(server, type(self).connect)
            assert isinstance(rig.backend, FindingBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.leaked == 0
