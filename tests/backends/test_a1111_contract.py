from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.a1111.backend import A1111Backend
from backends.a1111.progress import A1111Pace
from backends.base import Backend, BackendConfig
from tests.contracts.backend_contract import BackendContract
from tests.engines.a1111_engine import Failed
from tests.engines.a1111_server import A1111Server

QUICK = A1111Pace(
    poll_s=0.005, cancel_poll_s=0.005, cancel_wait_s=2.0, unknown_s=0.2, recover_poll_s=0.005, recover_s=1.0
)


def connect(server: A1111Server, pace: A1111Pace = QUICK, **changes: object) -> A1111Backend:
    values: dict[str, object] = {
        "name": "gpu1",
        "kind": "a1111",
        "label": "The GPU",
        "url": server.url,
        "timeout_s": 5.0,
    }
    return A1111Backend(BackendConfig(**(values | changes)), pace=pace)  # type: ignore[arg-type]


class A1111Rig:
    def __init__(self, server: A1111Server, **changes: object) -> None:
        self.server = server
        self.backend: Backend = connect(server, **changes)

    def is_working(self) -> bool:
        return self.server.engine.job is not None

    def fail_next(self) -> None:
        self.server.engine.fail_with = Failed("RuntimeError", "expected scalar type Half but found Float")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class A1111Contract(BackendContract):
    family = "a1111"
    ui = True
    scheduler = False

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[A1111Rig]:
        async with A1111Server(self.family, ui=self.ui, scheduler=self.scheduler) as server:
            if hold:
                server.engine.hold()
            rig = A1111Rig(server, options={"agent_scheduler": "always"} if self.scheduler else {})
            yield rig
            server.engine.release()
            await rig.backend.aclose()


class TestA1111(A1111Contract):
    pass


class TestA1111WithoutWebUi(A1111Contract):
    ui = False


class TestForge(A1111Contract):
    family = "forge"


class TestA1111ByAgentScheduler(A1111Contract):
    scheduler = True
