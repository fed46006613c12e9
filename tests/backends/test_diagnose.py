"""Each way a connection can fail is named by its layer, on real sockets."""

import asyncio
import socket
import ssl
from base64 import b64encode
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from backends.base import BackendConfig
from backends.diagnose import Diagnosis, diagnose
from tests.backends import products
from tests.net.servers import make_certificate, serve

BARK = {"/config": products.answer({"version": "4", "title": "Bark", "components": []})}


async def loopback(host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


async def examine(url: str, **changes) -> Diagnosis:
    options = {name: changes.pop(name) for name in ("resolver", "verify", "timeout_s") if name in changes}
    config = BackendConfig(**{"name": "t", "kind": "a1111", "url": url, **changes})
    return await diagnose(config, **{"resolver": loopback, "timeout_s": 2.0, **options})


@asynccontextmanager
async def raw(reply: bytes | None):
    """A server that answers every connection with these bytes, or never."""
    writers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if reply is not None:
            await reader.read(10)
            writer.write(reply)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def test_working_server_passes_every_layer():
    async with serve(products.a1111()) as port:
        found = await examine(f"http://gpu.example:{port}/")
    assert found.is_ok
    assert found.message == "Connection OK: Automatic1111, 2 models."
    assert (found.product, found.models) == ("Automatic1111", 2)
    assert [step.layer for step in found.steps] == ["address", "dns", "connect", "http", "auth", "api", "product"]
    assert all(step.is_ok for step in found.steps)
    assert found.owner_hint == ""


async def test_server_under_a_path_prefix_is_found():
    routes = {f"/sd{path}": handler for path, handler in products.a1111().items()}
    async with serve(routes) as port:
        assert (await examine(f"http://127.0.0.1:{port}/sd/")).is_ok


async def test_server_without_models_is_said_so():
    routes = {**products.a1111(), "/sdapi/v1/sd-models": products.answer([])}
    async with serve(routes) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert (found.is_ok, found.models) == (True, 0)
    assert "no models" in found.message


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        ("localhost:7860", {}),
        ("", {}),
        ("http://127.0.0.1", {"allow_private": False}),
        ("http://gpu.example", {"allow_insecure_http": False}),
        ("https://gpu.example", {"allowed_hosts": (".runpod.net",)}),
    ],
)
async def test_bad_address_fails_first(url, changes):
    found = await examine(url, **changes)
    assert (found.is_ok, found.layer) == (False, "address")
    assert found.hint


@pytest.mark.parametrize(
    ("fault", "says"), [(socket.gaierror(), "No server of that name"), (TimeoutError(), "DNS did not answer")]
)
async def test_dns_failure_is_named(fault, says):
    async def failing(host: str, port: int) -> tuple[str, ...]:
        raise fault

    found = await examine("https://gpu.example", resolver=failing)
    assert (found.layer, found.is_ok) == ("dns", False)
    assert says in found.message


async def test_name_that_leads_to_a_private_address_is_refused():
    found = await examine("https://gpu.example", allow_private=False)
    assert (found.layer, found.is_ok) == ("dns", False)
    assert "127.0.0.1" not in found.message


async def test_refused_connection_asks_whether_it_runs():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        here = await examine(f"http://127.0.0.1:{port}", key="user:hunter2")
        there = await examine(f"http://gpu.example:{port}", key="user:hunter2")
    assert here.layer == there.layer == "connect"
    assert "is it running?" in here.message
    assert "--listen" in there.hint
    assert there.owner_hint.endswith(f"curl http://127.0.0.1:{port}/sdapi/v1/sd-models")
    assert "hunter2" not in repr(there)


async def test_no_answer_at_all_points_to_the_firewall(monkeypatch):
    async def never(*args, **kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    found = await examine("http://gpu.example:7860", timeout_s=0.05)
    assert found.layer == "connect"
    assert "firewall" in found.message
    assert "7860" in found.hint


async def test_certificate_faults_are_told_apart():
    tls = make_certificate("gpu.example")
    trusting = ssl.create_default_context(cadata=tls.pem.decode())
    async with serve(products.a1111(), tls=tls) as port:
        good = await examine(f"https://gpu.example:{port}", verify=trusting)
        untrusted = await examine(f"https://gpu.example:{port}")
        misnamed = await examine(f"https://other.example:{port}", verify=trusting)
    assert good.is_ok
    assert "tls" in [step.layer for step in good.steps]
    assert (untrusted.layer, untrusted.message) == ("tls", "Its certificate is self-signed.")
    assert (misnamed.layer, misnamed.message) == ("tls", "Its certificate is for another name.")


async def test_https_on_a_plain_port_and_http_on_a_tls_port_are_told():
    async with serve(products.a1111()) as port:
        found = await examine(f"https://gpu.example:{port}")
    assert found.layer == "tls"
    assert "http://" in found.hint
    async with raw(b"\x15\x03\x01\x00\x02\x02\x46") as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert found.layer == "http"
    assert "https://" in found.hint


async def test_silent_server_is_said_to_be_starting():
    async with raw(None) as port:
        found = await examine(f"http://127.0.0.1:{port}", timeout_s=0.1)
    assert found.layer == "http"
    assert "does not answer" in found.message
    assert found.seconds < 1


@pytest.mark.parametrize("status", [502, 503, 524])
async def test_proxy_page_means_the_pod_is_still_starting(status):
    async with serve({"/sdapi/v1/sd-models": products.page("<html>nope", status)}) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert found.layer == "http"
    assert "still starting" in found.hint


async def test_key_is_wanted_refused_or_taken():
    async def guarded(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == f"Basic {b64encode(b'user:right').decode()}":
            return web.json_response(products.MODELS)
        return web.json_response({"detail": "Not authenticated"}, status=401)

    async with serve({**products.a1111(), "/sdapi/v1/sd-models": guarded}) as port:
        missing = await examine(f"http://127.0.0.1:{port}")
        wrong = await examine(f"http://127.0.0.1:{port}", key="user:wrong")
        wanted = await examine(f"http://127.0.0.1:{port}", key="user:right")
    assert missing.layer == wrong.layer == "auth"
    assert "wants a key" in missing.message
    assert "refuses the key" in wrong.message
    assert wanted.is_ok


async def test_missing_api_flag_is_named():
    async with serve(products.a1111_without_api()) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert found.layer == "api"
    assert "--api is missing" in found.message
    assert "--api" in found.hint
    async with serve({"/": products.page()}) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert "--api is missing" in found.message


@pytest.mark.parametrize(
    ("routes", "name", "hint"),
    [
        (products.comfyui(), "ComfyUI 0.33.0", "Connect it as comfyui instead."),
        (products.gradio(), "Flux (gradio app)", "Connect it as flux instead."),
        (BARK, "gradio app “Bark”", "Check the address and its port: "),
    ],
)
async def test_another_product_on_the_port_is_named(routes, name, hint):
    async with serve(routes) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert (found.layer, found.product) == ("product", name)
    assert found.message.startswith(f"{name} answers there")
    assert found.hint.startswith(hint)


async def test_a_product_is_fine_where_it_was_asked_for():
    async with serve(products.comfyui()) as port:
        assert (await examine(f"http://127.0.0.1:{port}", kind="comfyui")).is_ok


async def test_unknown_server_and_wrong_path_are_told():
    async with serve({}) as port:
        found = await examine(f"http://127.0.0.1:{port}")
    assert found.layer == "product"
    async with serve({"/": products.page()}) as port:
        found = await examine(f"http://127.0.0.1:{port}/sdapi/v1")
    assert "Leave out everything from /sdapi" in found.hint


async def test_redirect_error_and_garbage_are_told():
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("https://gpu.example/")

    expected = [
        (away, "http", "leads on"),
        (products.answer({}, 500), "api", "500"),
        (products.answer({}), "api", "read"),
        (products.answer({}, 429), "api", "too often"),
        (products.page(status=403), "auth", "refuses the connection"),
    ]
    for handler, layer, says in expected:
        async with serve({"/sdapi/v1/sd-models": handler}) as port:
            found = await examine(f"http://127.0.0.1:{port}")
        assert (found.layer, says in found.message) == (layer, True)


async def test_nothing_said_holds_the_address_or_the_key():
    async with serve(products.comfyui()) as port:
        found = await examine(f"http://gpu.example:{port}/prefix", key="sk-secret")
    text = repr(found)
    assert "gpu.example" not in text
    assert "sk-secret" not in text
