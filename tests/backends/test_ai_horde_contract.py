from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.ai_horde.backend import AiHordeBackend, HordePace
from backends.base import Backend, BackendConfig, ResumableBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.horde_server import HordeServer

QUICK = HordePace(near_s=0.01, far_s=0.02)


def connect(server: HordeServer, **changes: object) -> AiHordeBackend:
    values: dict[str, object] = {"name": "horde", "kind": "ai_horde", "label": "The Horde", "url": server.url}
    return AiHordeBackend(BackendConfig(**(values | changes)), pace=QUICK)  # type: ignore[arg-type]


class HordeRig:
    def __init__(self, server: HordeServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.waiting or job.processing for job in self.server.jobs.values())

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestAiHorde(BackendContract):
    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[HordeRig]:
        async with HordeServer() as server:
            if hold:
                server.hold()
            rig = HordeRig(server)
            assert isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.too_often == 0
