from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.base import Backend, ResumableBackend
from tests.backends.comfyui.rig import connect
from tests.contracts.backend_contract import BackendContract
from tests.engines.comfyui_engine import Failed
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.comfyui_v2 import ComfyUIV2Server


class ComfyUIRig:
    def __init__(self, server: ComfyUIServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return bool(self.server.engine.running or self.server.engine.pending)

    def fail_next(self) -> None:
        self.server.engine.fail_with = Failed("ValueError", "lab failure at /opt/ComfyUI/nodes.py")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class TestComfyUI(BackendContract):
    version = "0.33.0"
    has_socket = True
    takes_ids = True

    def server(self) -> ComfyUIServer:
        return ComfyUIServer(version=self.version, has_socket=self.has_socket, takes_ids=self.takes_ids)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[ComfyUIRig]:
        async with self.server() as server:
            if hold:
                server.engine.hold()
            rig = ComfyUIRig(server)
            yield rig
            server.engine.release()
            await rig.backend.aclose()

    async def test_it_can_be_resumed(self) -> None:
        async with self.rig() as rig:
            assert isinstance(rig.backend, ResumableBackend)


class TestComfyUIWithoutWebsocket(TestComfyUI):
    has_socket = False


class TestComfyUIOfTheTimeOfInterruptById(TestComfyUI):
    version = "0.3.64"


class TestOldComfyUI(TestComfyUI):
    version = "0.2.7"
    takes_ids = False


class TestComfyUIByApiV2(TestComfyUI):
    def server(self) -> ComfyUIServer:
        return ComfyUIV2Server(version=self.version)


class TestOlderComfyUIByApiV2(TestComfyUIByApiV2):
    version = "0.3.64"
