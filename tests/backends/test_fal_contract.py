from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.base import Backend, BackendConfig, ResumableBackend
from backends.fal.backend import FalBackend
from backends.polling import PollPace
from tests.contracts.backend_contract import BackendContract
from tests.engines.fal_server import KEY, FalServer

QUICK = PollPace(near_s=0.01, far_s=0.02)


def connect(server: FalServer, **changes: Any) -> FalBackend:
    values: dict[str, Any] = {"name": "fal", "kind": "fal", "label": "FAL", "url": server.url, "key": KEY}
    return FalBackend(BackendConfig(**(values | changes)), pace=QUICK)


class FalRig:
    def __init__(self, server: FalServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs.values())

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestFal(BackendContract):
    size = (1024, 1024)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[FalRig]:
        async with FalServer() as server:
            if hold:
                server.hold()
            rig = FalRig(server)
            assert isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.leaked == 0
