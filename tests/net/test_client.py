import asyncio
import socket
from typing import Any

import httpx
import pytest
import respx

from backends.base import BackendConfig
from generation.errors import (
    BackendError,
    GenerationError,
)
from net.calls import Calls
from net.client import key_auth, make_client
from net.failures import translate

URL = "http://gpu.example.com:7860"


def config(**changes: object) -> BackendConfig:
    values: dict[str, object] = {"name": "gpu1", "kind": "a1111", "url": URL, "timeout_s": 30.0}
    return BackendConfig(**(values | changes))  # type: ignore[arg-type]


@respx.mock
@pytest.mark.parametrize("url", [f"{URL}/sd", f"{URL}/sd/", f" {URL}/sd// "])
async def test_path_prefix_is_kept_and_slashes_are_not_doubled(url: str) -> None:
    route = respx.get(f"{URL}/sd/sdapi/v1/options").respond(json={})
    async with make_client(config(url=url).endpoint) as client:
        assert (await client.get("/sdapi/v1/options")).status_code == 200
    assert route.called


@respx.mock
async def test_redirects_are_not_followed() -> None:
    respx.get(f"{URL}/a").respond(302, headers={"Location": "http://169.254.169.254/"})
    async with make_client(config().endpoint) as client:
        answer = await Calls("X", client).call("GET", "/a")
    assert answer.status == 302
    assert isinstance(translate("X", answer), BackendError)


@respx.mock
@pytest.mark.parametrize(
    ("key", "header"), [("me:pass:word", "Basic bWU6cGFzczp3b3Jk"), ("token", "Bearer token"), ("", None)]
)
async def test_key_is_sent_with_the_first_request(key: str, header: str | None) -> None:
    route = respx.get(f"{URL}/a").respond(json={})
    async with make_client(config().endpoint, auth=key_auth(key)) as client:
        await client.get("/a")
    assert route.calls.last.request.headers.get("Authorization") == header


async def test_timeouts_are_short_to_connect_and_the_instances_own_to_read() -> None:
    async with make_client(config().endpoint) as client:
        assert client.timeout.connect == 5.0
        assert client.timeout.read == 30.0


@pytest.mark.parametrize(
    ("url", "encoding"), [("http://192.168.1.5:7860", True), ("http://localhost:1", True), (URL, False)]
)
async def test_compression_is_declined_only_nearby(url: str, encoding: bool) -> None:
    async with make_client(config(url=url).endpoint) as client:
        assert (client.headers["Accept-Encoding"] == "identity") is encoding


async def test_private_addresses_are_refused_where_they_are_not_allowed() -> None:
    async with make_client(config(url="http://127.0.0.1:9/", allow_private=False).endpoint) as client:
        with pytest.raises(GenerationError) as caught:
            await client.get("/a")
    assert "127.0.0.1" not in caught.value.user_message


async def test_a_typed_address_never_leads_to_metadata_even_where_private_ones_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def rebound(_: object, host: str, *__: object, **___: object) -> list[Any]:
        return [(None, None, None, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebound)
    async with make_client(config(url="http://gpu.example", is_typed=True).endpoint) as client:
        with pytest.raises(GenerationError, match="metadata"):
            await client.get("/a")


async def test_refused_connection_is_recognised_on_a_real_socket() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with make_client(config(url=f"http://127.0.0.1:{port}").endpoint) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get("/a")
    assert "not running" in translate("The GPU", caught.value).user_message
