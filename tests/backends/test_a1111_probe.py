"""The probe's findings on whatever answers on a port."""

import pytest
import respx

from backends.a1111.facts import Program
from backends.a1111.probe import probe
from backends.base import BackendConfig
from generation.errors import BackendAuthError, BackendError, BackendUnavailable
from net.calls import Calls
from net.client import make_client
from tests.backends.test_a1111_contract import connect
from tests.engines.a1111_server import A1111Server

URL = "http://gpu.example.com:7860"


async def _probe_page(html: str, schema: object = None) -> str:
    """Return what people read when that page, and no API, answers."""
    with respx.mock(assert_all_called=False) as mock:
        mock.get(f"{URL}/").respond(html=html)
        if schema is not None:
            mock.get(f"{URL}/openapi.json").respond(json=schema)
        mock.get(url__startswith=URL).respond(404)
        async with make_client(BackendConfig(name="x", kind="a1111", url=URL).endpoint) as client:
            with pytest.raises(BackendError) as caught:
                await probe(Calls("The GPU", client))
    return caught.value.user_message


@pytest.mark.parametrize(
    ("html", "word"),
    [
        ("<title>ComfyUI</title>", "it is ComfyUI"),
        ("<title>Stable Diffusion</title>", "start it with --api"),
        ("<script>window.gradio_config</script>", "another gradio app"),
        ("<h1>It works!</h1>", "not Stable Diffusion WebUI"),
    ],
)
async def test_other_products_are_named(html: str, word: str) -> None:
    assert word in await _probe_page(html)


@pytest.mark.parametrize(
    ("paths", "word"),
    [
        ({"/config": {}, "/internal/progress": {}}, "start it with --api"),
        ({"/config": {}, "/queue/join": {}}, "another gradio app"),
        ({"/v1/images": {}}, "another program"),
    ],
)
async def test_a_schema_without_the_api_is_understood(paths: dict[str, object], word: str) -> None:
    assert word in await _probe_page("", {"paths": paths})


@pytest.mark.parametrize("family", ["a1111", "forge"])
async def test_server_started_without_the_api_is_told_so(family: str) -> None:
    async with A1111Server(family, api=False) as server:
        backend = connect(server)
        with pytest.raises(BackendError) as caught:
            await backend.capabilities()
        assert caught.value.user_message == "The GPU answers, but its API is off: start it with --api."
        await backend.aclose()


@pytest.mark.parametrize(
    ("family", "ui", "expected"),
    [("a1111", True, Program.A1111), ("a1111", False, Program.A1111), ("forge", True, Program.FORGE)],
)
async def test_family_and_task_ids_are_read_from_the_schema(family: str, ui: bool, expected: Program) -> None:
    async with A1111Server(family, ui=ui) as server:
        async with make_client(BackendConfig(name="x", kind="a1111", url=server.url).endpoint) as client:
            facts = await probe(Calls("The GPU", client))
        assert facts.family is expected
        assert facts.has_tasks is ui


@pytest.mark.parametrize(
    ("paths", "fields", "expected"),
    [
        (["/sdapi/v1/version"], [], Program.SDNEXT),
        (["/sdapi/v1/sd-vae"], ["hr_cfg"], Program.REFORGE),
        (["/sdapi/v1/sd-modules"], ["hr_cfg"], Program.FORGE),
    ],
)
async def test_forks_are_told_apart(paths: list[str], fields: list[str], expected: Program) -> None:
    schema = {
        "paths": {path: {} for path in ["/sdapi/v1/txt2img", *paths]},
        "components": {"schemas": {"Txt2Img": {"properties": {field: {} for field in fields}}}},
    }
    with respx.mock(assert_all_called=False) as mock:
        mock.get(f"{URL}/openapi.json").respond(json=schema)
        mock.get(url__startswith=URL).respond(404)
        async with make_client(BackendConfig(name="x", kind="a1111", url=URL).endpoint) as client:
            assert (await probe(Calls("The GPU", client))).family is expected


async def test_server_that_hides_its_schema_is_still_used() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        with respx.mock(assert_all_mocked=False, assert_all_called=False) as mock:
            mock.get(f"{server.url}/openapi.json").respond(404)
            mock.route(host="127.0.0.1").pass_through()
            can = await backend.capabilities()
        assert can.models
        await backend.aclose()


@pytest.mark.parametrize("key", ["", "user:wrong", "token"])
async def test_wrong_password_is_an_auth_error(key: str) -> None:
    async with A1111Server(auth="user:pass") as server:
        backend = connect(server, key=key)
        with pytest.raises(BackendAuthError) as caught:
            await backend.capabilities()
        assert "wrong" not in str(caught.value)
        await backend.aclose()


async def test_right_password_is_sent_without_being_asked() -> None:
    async with A1111Server(auth="user:pass") as server:
        backend = connect(server, key="user:pass")
        assert (await backend.capabilities()).models
        assert all("Authorization" in headers for _, _, headers in server.requests)
        await backend.aclose()


async def test_broken_options_command_is_never_asked_for() -> None:
    async with A1111Server("forge") as server:
        backend = connect(server)
        await backend.capabilities()
        assert not any("cmd-flags" in path for _, path, _ in server.requests)
        await backend.aclose()


async def test_server_that_is_off_gets_the_five_checks() -> None:
    backend = None
    async with A1111Server() as server:
        backend = connect(server)
    with pytest.raises(BackendUnavailable) as caught:
        await backend.capabilities()
    assert "--api --listen" in caught.value.hint
    await backend.aclose()


@pytest.mark.parametrize(
    ("name", "side", "grid"), [("juggernautXL_v9", 1024, 8), ("ponyDiffusion", 1024, 8), ("dreamshaper_8", 512, 8)]
)
async def test_default_size_and_grid_follow_the_loaded_model(name: str, side: int, grid: int) -> None:
    async with A1111Server() as server:
        server.engine.models = [{"title": f"{name}.safetensors [abc]", "model_name": name, "hash": "abc"}]
        server.engine.options["sd_model_checkpoint"] = f"{name}.safetensors [abc]"
        backend = connect(server)
        can = await backend.capabilities()
        assert (can.default_width, can.default_height, can.size_grid) == (side, side, grid)
        await backend.aclose()


async def test_own_options_set_the_limits() -> None:
    async with A1111Server() as server:
        backend = connect(server, options={"max_side": "1536", "max_batch": "many"})
        can = await backend.capabilities()
        assert (can.max_side, can.max_batch) == (1536, 8)
        await backend.aclose()
