from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backends.base import Backend, BackendConfig, ResumableBackend
from backends.openai_images.backend import OpenAIImagesBackend
from generation.request import Mode
from tests.contracts.backend_contract import BackendContract
from tests.engines.openai_server import MODELS, OpenAIServer

LOCAL = ("localai", "sdcpp", "lemonade", "vllm", "llama_swap", "classic")


def connect(server: OpenAIServer, url: str = "", **changes: Any) -> OpenAIImagesBackend:
    options = {"pause": "0"} | (
        {"dialect": "openrouter"} if server.dialect in ("openrouter", "xai", "together") else {}
    )
    if server.dialect in ("xai", "together"):
        options["dialect"] = server.dialect
    options |= changes.pop("options", {})
    values: dict[str, Any] = {
        "name": "openai", "kind": "openai_images", "label": "OpenAI", "url": url or server.url, "key": server.key,
    }  # fmt: skip
    return OpenAIImagesBackend(BackendConfig(**(values | {"options": options} | changes)))


class OpenAIRig:
    def __init__(self, server: OpenAIServer) -> None:
        self.server = server
        self.backend: Backend = connect(server)

    def is_working(self) -> bool:
        return any(job.is_running for job in self.server.jobs)

    def fail_next(self) -> None:
        self.server.plans.append("fault")

    async def take_down(self) -> None:
        await self.server.__aexit__()


class OpenAIContract(BackendContract):
    dialect = "openai"
    size = (1024, 1024)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[OpenAIRig]:
        # There is no call that stops a request: what is given up by its caller ends when the server's time is up.
        async with OpenAIServer(self.dialect, limit_s=0.2 if hold else 10.0) as server:
            if hold:
                server.hold()
            rig = OpenAIRig(server)
            assert not isinstance(rig.backend, ResumableBackend)
            yield rig
            server.release()
            await rig.backend.aclose()


class TestOpenAI(OpenAIContract):
    pass


class TestXai(OpenAIContract):
    dialect = "xai"


class TestOpenRouter(OpenAIContract):
    dialect = "openrouter"


class TestTogether(OpenAIContract):
    dialect = "together"


class TestLocalAI(OpenAIContract):
    dialect = "localai"
    size = (256, 256)


class TestStableDiffusionCpp(OpenAIContract):
    dialect = "sdcpp"
    size = (256, 256)


class TestLemonade(OpenAIContract):
    dialect = "lemonade"
    size = (256, 256)


class TestVllmOmni(OpenAIContract):
    dialect = "vllm"
    size = (256, 256)


class TestLlamaSwap(OpenAIContract):
    dialect = "llama_swap"
    size = (256, 256)


class TestClassic(OpenAIContract):
    dialect = "classic"
    size = (256, 256)


@pytest.mark.parametrize("dialect", LOCAL)
async def test_a_server_of_ones_own_is_known_by_its_list_of_models_and_free(dialect: str) -> None:
    async with OpenAIServer(dialect) as server:
        backend = connect(server)
        await backend.capabilities()
        assert backend._facts is not None
        assert (backend._facts.dialect.name, backend.is_paid) == (dialect, False)
        await backend.aclose()


@pytest.mark.parametrize("dialect", MODELS)
async def test_no_server_enlarges_or_has_samplers(dialect: str) -> None:
    async with OpenAIServer(dialect) as server:
        backend = connect(server)
        can = await backend.capabilities()
        await backend.aclose()
    assert Mode.UPSCALE not in can.modes
    assert (can.samplers, can.schedulers, can.loras, can.vaes, can.control_kinds) == ((), (), (), (), ())
