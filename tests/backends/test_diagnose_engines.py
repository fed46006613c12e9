"""Each kind of engine is tested by its own first answer and its own way to take a key, against its stand-in."""

from contextlib import asynccontextmanager
from functools import partial

import pytest

from backends.base import BackendConfig
from backends.diagnose import Diagnosis, diagnose
from backends.kinds import address_of
from tests.backends import products
from tests.engines.a1111_server import A1111Server
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.engines.gradio_app import GradioApp
from tests.engines.grid_server import GridServer
from tests.engines.horde_server import HordeServer
from tests.engines.openai_server import OpenAIServer
from tests.net.servers import serve


async def examine(kind: str, url: str, key: str = "", **changes) -> Diagnosis:
    return await diagnose(BackendConfig(**{"name": "t", "kind": kind, "url": url, "key": key, **changes}))


@pytest.mark.parametrize("typed", ["", "/api", "/api/v2", "/"])
async def test_a_horde_answers_without_a_key_however_its_address_is_typed(typed):
    async with HordeServer() as server:
        found = await examine("ai_horde", server.url + typed)
    assert (found.is_ok, found.product, found.models) == (True, "AI Horde 5.1.5", 2)
    assert "api/v2/find_user" not in str(server.requests)
    assert server.requests[0][2]["apikey"] == "0000000000"


@pytest.mark.parametrize(("key", "is_ok"), [("registered", True), ("nonsense", False)])
async def test_a_key_of_the_horde_is_tried(key, is_ok):
    async with HordeServer() as server:
        found = await examine("ai_horde", server.url, key)
    assert found.is_ok == is_ok
    if not is_ok:
        assert (found.layer, found.message) == ("auth", "The server refuses the key (404).")
        assert "anonymously" in found.hint


@pytest.mark.parametrize(("key", "says"), [("", "wants a key"), ("grid_wrong", "refuses the key"), ("grid_user", "OK")])
async def test_the_grid_wants_a_key_of_its_own(key, says):
    async with GridServer() as server:
        found = await examine("aipowergrid", f"{server.url}/v1", key)
    assert says in found.message
    assert found.is_ok == (key == "grid_user")
    assert (found.product == "AI Power Grid") == found.is_ok
    if not found.is_ok:
        assert (found.layer, "grid_" in found.hint, found.owner_hint) == ("auth", True, "")


async def test_nobody_at_work_there_is_said_so():
    async with HordeServer(models={}) as horde, GridServer() as grid:
        grid.models.clear()
        assert "no worker draws there now" in (await examine("ai_horde", horde.url)).message
        assert "no worker draws there now" in (await examine("aipowergrid", grid.url, "grid_user")).message


async def test_a_proxy_that_speaks_comfyui_s_api_v2_alone_is_told_as_such():
    async with ComfyUIV2Server(has_classic=False) as server:
        found = await examine("comfyui", server.url)
    assert (found.is_ok, found.layer) == (False, "api")
    assert "API v2 answers, but not its list of models" in found.message


async def test_one_taken_for_the_other_is_suggested():
    async with HordeServer() as horde, HordeServer(is_gone=True) as retired, GridServer() as grid:
        as_grid = await examine("aipowergrid", horde.url, "grid_user")
        as_horde = await examine("ai_horde", grid.url)
        gone = await examine("ai_horde", retired.url)
    assert (as_grid.layer, as_grid.hint) == ("product", "Connect it as ai_horde instead.")
    assert (as_horde.layer, as_horde.hint) == ("product", "Connect it as aipowergrid instead.")
    assert (gone.is_ok, gone.layer) == (False, "product")


async def test_only_those_two_have_a_public_address():
    for kind in ("ai_horde", "aipowergrid"):
        assert address_of(BackendConfig(name="x", kind=kind)).startswith("https://")
    for kind in ("a1111", "of another package"):
        assert address_of(BackendConfig(name="x", kind=kind)) == ""
    found = await examine("a1111", "")
    assert (found.is_ok, found.layer) == (False, "address")


async def test_the_public_address_stands_in_for_none():
    asked = []

    async def resolver(host: str, port: int) -> tuple[str, ...]:
        asked.append((host, port))
        return ("127.0.0.1",)

    config = BackendConfig(name="t", kind="ai_horde", allow_private=False)
    found = await diagnose(config, resolver=resolver)
    assert (found.layer, asked) == ("dns", [("aihorde.net", 443)])


@pytest.mark.parametrize("major", [4, 5, 6])
@pytest.mark.parametrize(
    ("key", "says"), [("mia:right", "OK"), ("mia:wrong", "refuses"), ("", "wants"), ("x", "refus")]
)
async def test_an_app_is_logged_in_to(major, key, says):
    async with GradioApp(major, auth="mia:right") as app:
        found = await examine("gradio_flux", app.url, key)
    assert says in found.message
    assert found.is_ok == (key == "mia:right")
    assert found.is_ok or (found.layer == "auth" and "user:password" in found.hint)


@pytest.mark.parametrize("key", ["mia:right", "a-token"])
async def test_comfyui_behind_a_proxy_takes_its_key(key):
    async with ComfyUIServer(auth=key, prefix="/comfy") as server:
        assert (await examine("comfyui", server.url, key)).is_ok
        refused = await examine("comfyui", server.url, f"{key}!")
        missing = await examine("comfyui", server.url)
    assert refused.layer == missing.layer == "auth"
    assert "--api-auth" not in refused.hint + missing.hint


@pytest.mark.parametrize(
    "kind",
    [
        "a1111",
        "comfyui",
        "gradio_flux",
        "ai_horde",
        "aipowergrid",
        "openai_images",
        "stability",
        "replicate",
        "gemini",
        "bfl",
        "fal",
    ],
)
@pytest.mark.parametrize("answers", ["a1111", "comfyui", "gradio_flux", "ai_horde", "aipowergrid", "openai_images"])
async def test_every_engine_is_told_from_every_other(kind, answers):
    stand_ins = {"a1111": A1111Server, "comfyui": ComfyUIServer, "gradio_flux": GradioApp, "ai_horde": HordeServer,
                 "aipowergrid": GridServer, "openai_images": partial(OpenAIServer, "localai")}  # fmt: skip
    async with stand_ins[answers]() as server:
        found = await examine(kind, server.url, "grid_user" if kind == answers == "aipowergrid" else "")
    assert found.is_ok == (kind == answers)
    if kind != answers:
        word = {"gradio_flux": "flux", "openai_images": "openai"}.get(answers, answers)
        assert (found.layer, found.hint) == ("product", f"Connect it as {word} instead.")


@asynccontextmanager
async def nothing_known():
    async with serve({path: products.answer({"status": "ok"}) for path in ("/health", "/system_stats", "/config",
                      "/api/v2/status/heartbeat")}) as port:  # fmt: skip
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "kind",
    [
        "comfyui",
        "gradio_flux",
        "ai_horde",
        "aipowergrid",
        "openai_images",
        "stability",
        "replicate",
        "gemini",
        "bfl",
        "fal",
    ],
)
async def test_a_health_page_of_anything_else_is_no_engine(kind):
    async with nothing_known() as url:
        found = await examine(kind, url)
    assert (found.layer, found.is_ok) == ("product", False)


async def test_owner_hints_name_the_engines_own_port_and_path():
    for kind, end in (("comfyui", ":8188/system_stats"), ("gradio_flux", ":7860/config")):
        found = await examine(kind, "http://127.0.0.1/nothing", timeout_s=1.0)
        assert found.owner_hint.endswith(end)
