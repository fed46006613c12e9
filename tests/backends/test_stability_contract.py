from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.base import Backend, BackendConfig, ResumableBackend
from backends.stability.backend import StabilityBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.stability_server import KEY, StabilityServer
from utils.clock import Clock


def connect(server: StabilityServer, clock: Clock | None = None, **changes: Any) -> StabilityBackend:
    values: dict[str, Any] = {
        "name": "stability", "kind": "stability", "label": "Stability AI", "url": server.url, "key": KEY,
    }  # fmt: skip
    return StabilityBackend(BackendConfig(**(values | changes)), poll_s=0.01, clock=clock)


class StabilityRig:
    def __init__(self, server: StabilityServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs)

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestStability(BackendContract):
    size = (1216, 1216)  # a square of core's one and a half megapixels

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[StabilityRig]:
        # There is no call that stops one: what is given up by its caller ends when the server's time is up.
        async with StabilityServer(limit_s=0.2 if hold else 10.0) as server:
            if hold:
                server.hold()
            rig = StabilityRig(server)
            assert not isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
