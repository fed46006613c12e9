from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.base import AnnouncedBackend, Backend, BackendConfig, FindingBackend
from backends.polling import PollPace
from backends.replicate.backend import ReplicateBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.replicate_server import KEY, ReplicateServer
from utils.clock import Clock

QUICK = PollPace(near_s=0.01, far_s=0.02, announced_s=0.05)


def connect(server: ReplicateServer, clock: Clock | None = None, **changes: Any) -> ReplicateBackend:
    values: dict[str, Any] = {
        "name": "replicate", "kind": "replicate", "label": "Replicate", "url": server.url, "key": KEY,
    }  # fmt: skip
    return ReplicateBackend(BackendConfig(**(values | changes)), clock=clock, pace=QUICK)


class ReplicateRig:
    def __init__(self, server: ReplicateServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(not run.has_ended for run in self.server.runs.values())

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestReplicate(BackendContract):
    size = (1024, 1024)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[ReplicateRig]:
        async with ReplicateServer() as server:
            if hold:
                server.hold()
            rig = ReplicateRig(server)
            assert isinstance(rig.backend, FindingBackend)
            assert isinstance(rig.backend, AnnouncedBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.leaked == 0
