from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.base import Backend, BackendConfig, ResumableBackend
from backends.bfl.backend import BflBackend
from backends.polling import PollPace
from tests.contracts.backend_contract import BackendContract
from tests.engines.bfl_server import KEY, BflServer

QUICK = PollPace(near_s=0.01, far_s=0.02)


def connect(server: BflServer, **changes: Any) -> BflBackend:
    values: dict[str, Any] = {"name": "bfl", "kind": "bfl", "label": "BFL", "url": server.url, "key": KEY}
    return BflBackend(BackendConfig(**(values | changes)), pace=QUICK)


class BflRig:
    def __init__(self, server: BflServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs.values())

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestBfl(BackendContract):
    size = (1024, 1024)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[BflRig]:
        # There is no call that stops one: what is given up by its caller ends when the server's time is up.
        async with BflServer(limit_s=0.2 if hold else 10.0) as server:
            if hold:
                server.hold()
            rig = BflRig(server)
            assert isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.leaked == 0
