"""Products are told apart by what they answer, as recorded from real ones."""

import asyncio

import httpx
import pytest

from backends.probe import identify, local_port, probe_local
from net.guard import trusted_authorities
from tests.backends import products
from tests.net.servers import serve


@pytest.mark.parametrize(
    ("routes", "title", "kind"),
    [
        (products.a1111(), "Automatic1111", "a1111"),
        (products.a1111("openapi-a1111-nowebui"), "Automatic1111", "a1111"),
        (products.a1111("openapi-forge"), "Forge", "a1111"),
        (products.comfyui(), "ComfyUI 0.33.0", "comfyui"),
        ({"/api/v2/health": products.answer({"status": "healthy"})}, "ComfyUI’s API v2", "comfyui"),
        (products.gradio("config-gradio4"), "Flux (gradio app)", "gradio_flux"),
        (products.gradio("config-gradio5"), "Flux (gradio app)", "gradio_flux"),
        (products.gradio("config-gradio6"), "Flux (gradio app)", "gradio_flux"),
        ({"/openapi.json": products.answer({"info": {"title": "Easel"}, "paths": {}})}, "Easel", ""),
        (
            {"/openapi.json": products.answer({"paths": {"/sdapi/v1/txt2img": {}, "/sdapi/v1/version": {}}})},
            "SD.Next",
            "a1111",
        ),
        ({"/config": products.answer({"version": "4", "title": "B<a>", "components": []})}, "gradio app “Ba”", ""),
    ],
)
async def test_product_is_named_by_what_answers(routes, title, kind):
    async with serve(routes) as port, httpx.AsyncClient(verify=trusted_authorities()) as client:
        product = await identify(client, f"http://127.0.0.1:{port}")
    assert product is not None
    assert (product.title, product.kind, product.has_api) == (title, kind, True)


async def test_gradio_app_with_a_prompt_field_is_usable_as_one():
    async with (
        serve(products.gradio("config-zimage-gradio6")) as port,
        httpx.AsyncClient(verify=trusted_authorities()) as client,
    ):
        product = await identify(client, f"http://127.0.0.1:{port}")
    assert product is not None
    assert product.kind == "gradio_flux"


async def test_a1111_without_its_api_is_still_recognised():
    async with serve(products.a1111_without_api()) as port, httpx.AsyncClient(verify=trusted_authorities()) as client:
        product = await identify(client, f"http://127.0.0.1:{port}")
    assert product is not None
    assert (product.kind, product.has_api) == ("a1111", False)


@pytest.mark.parametrize("routes", [{}, {"/openapi.json": products.page(), "/config": products.page()}])
async def test_unknown_web_server_is_nobody(routes):
    async with serve(routes) as port, httpx.AsyncClient(verify=trusted_authorities()) as client:
        assert await identify(client, f"http://127.0.0.1:{port}") is None


async def test_local_probe_names_what_answers_where():
    async with (
        serve(products.a1111("openapi-forge")) as forge,
        serve(products.comfyui()) as comfy,
        serve(products.a1111_without_api()) as mute,
        serve({"/config": products.answer({"version": "4", "title": "Bark", "components": []})}) as bark,
        serve({}) as other,
    ):
        found = {item.port: item for item in await probe_local((forge, comfy, mute, bark, other, 1))}
    assert set(found) == {forge, comfy, mute, bark}
    assert found[forge].is_usable
    assert found[forge].url == f"http://127.0.0.1:{forge}"
    assert found[comfy].message == f"found ComfyUI 0.33.0 at {comfy}"
    assert found[comfy].is_usable
    assert found[bark].message == f"found gradio app “Bark” at {bark}, not supported by this version"
    assert not found[bark].is_usable
    assert not found[mute].is_usable
    assert "--api" in found[mute].message


async def test_local_probe_does_not_wait_for_a_silent_port():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        started = asyncio.get_running_loop().time()
        assert await probe_local((port,), timeout_s=0.1) == []
        assert asyncio.get_running_loop().time() - started < 1


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("http://127.0.0.1:7860/", 7860), ("http://localhost:8188", 8188), ("http://[::1]:7861", 7861),
        ("http://0.0.0.0:7860", 7860), ("https://localhost", 443), ("http://127.0.0.2", 80),
        ("https://pod-7860.proxy.example", None), ("http://192.168.1.5:7860", None), ("", None), ("http://[", None),
    ],
)  # fmt: skip
def test_the_port_of_an_address_on_this_machine(address: str, port: int | None) -> None:
    assert local_port(address) == port
