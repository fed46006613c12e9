from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.base import Backend, BackendConfig, ResumableBackend
from backends.gemini.backend import GeminiBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.gemini_server import KEY, GeminiServer


def connect(server: GeminiServer, **changes: Any) -> GeminiBackend:
    values: dict[str, Any] = {"name": "gemini", "kind": "gemini", "label": "Gemini", "url": server.url, "key": KEY}
    return GeminiBackend(BackendConfig(**(values | changes)))


class GeminiRig:
    def __init__(self, server: GeminiServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs)

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestGemini(BackendContract):
    size = (1024, 1024)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[GeminiRig]:
        # There is no call that stops one: what is given up by its caller ends when the server's time is up.
        async with GeminiServer(limit_s=0.2 if hold else 10.0) as server:
            if hold:
                server.hold()
            rig = GeminiRig(server)
            assert not isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()
