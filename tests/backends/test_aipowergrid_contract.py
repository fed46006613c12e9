from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.aipowergrid.backend import AiPowerGridBackend, GridPace
from backends.base import Backend, BackendConfig, ResumableBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.grid_server import GridServer

QUICK = GridPace(progress_s=0.01)


def connect(server: GridServer, **changes: object) -> AiPowerGridBackend:
    values: dict[str, object] = {
        "name": "grid", "kind": "aipowergrid", "label": "The Grid", "url": server.url, "key": "grid_user",
    }  # fmt: skip
    return AiPowerGridBackend(BackendConfig(**(values | changes)), pace=QUICK)  # type: ignore[arg-type]


class GridRig:
    def __init__(self, server: GridServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs)

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestAiPowerGrid(BackendContract):
    size = (512, 512)
    steps = 8

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[GridRig]:
        # There is no call that stops a job: what is given up by its caller ends when the server's own time is up.
        async with GridServer(limit_s=0.2 if hold else 10.0) as server:
            if hold:
                server.hold()
            rig = GridRig(server)
            assert not isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
            assert server.too_often == 0
