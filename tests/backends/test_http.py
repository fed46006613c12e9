import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
from pydantic import BaseModel, ValidationError

from backends.base import BackendConfig
from backends.http import AnswerTooLarge, key_auth, make_client, parse_retry_after, read_bounded, translate
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)

URL = "http://gpu.example.com:7860"


def config(**changes: object) -> BackendConfig:
    values: dict[str, object] = {"name": "gpu1", "kind": "a1111", "url": URL, "timeout_s": 30.0}
    return BackendConfig(**(values | changes))  # type: ignore[arg-type]


@respx.mock
@pytest.mark.parametrize("url", [f"{URL}/sd", f"{URL}/sd/", f" {URL}/sd// "])
async def test_path_prefix_is_kept_and_slashes_are_not_doubled(url: str) -> None:
    route = respx.get(f"{URL}/sd/sdapi/v1/options").respond(json={})
    async with make_client(config(url=url)) as client:
        assert (await client.get("/sdapi/v1/options")).status_code == 200
    assert route.called


@respx.mock
async def test_redirects_are_not_followed() -> None:
    respx.get(f"{URL}/a").respond(302, headers={"Location": "http://169.254.169.254/"})
    async with make_client(config()) as client:
        answer = await client.get("/a")
    assert answer.status_code == 302
    assert isinstance(translate("X", answer), BackendError)


@respx.mock
@pytest.mark.parametrize(
    ("key", "header"), [("me:pass:word", "Basic bWU6cGFzczp3b3Jk"), ("token", "Bearer token"), ("", None)]
)
async def test_key_is_sent_with_the_first_request(key: str, header: str | None) -> None:
    route = respx.get(f"{URL}/a").respond(json={})
    async with make_client(config(), auth=key_auth(key)) as client:
        await client.get("/a")
    assert route.calls.last.request.headers.get("Authorization") == header


async def test_timeouts_are_short_to_connect_and_the_instances_own_to_read() -> None:
    async with make_client(config()) as client:
        assert client.timeout.connect == 5.0
        assert client.timeout.read == 30.0


@pytest.mark.parametrize(
    ("url", "encoding"), [("http://192.168.1.5:7860", True), ("http://localhost:1", True), (URL, False)]
)
async def test_compression_is_declined_only_nearby(url: str, encoding: bool) -> None:
    async with make_client(config(url=url)) as client:
        assert (client.headers["Accept-Encoding"] == "identity") is encoding


async def test_private_addresses_are_refused_where_they_are_not_allowed() -> None:
    async with make_client(config(url="http://127.0.0.1:9/", allow_private=False)) as client:
        with pytest.raises(GenerationError) as caught:
            await client.get("/a")
    assert "127.0.0.1" not in caught.value.user_message


async def test_a_typed_address_never_leads_to_metadata_even_where_private_ones_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def rebound(_: object, host: str, *__: object, **___: object) -> list[Any]:
        return [(None, None, None, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebound)
    async with make_client(config(url="http://gpu.example", is_typed=True)) as client:
        with pytest.raises(GenerationError, match="metadata"):
            await client.get("/a")


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b"x" * 100


@respx.mock
@pytest.mark.parametrize("headers", [{}, {"Content-Length": "10000"}])
async def test_body_larger_than_the_limit_is_not_read(headers: dict[str, str]) -> None:
    respx.get(f"{URL}/a").mock(return_value=httpx.Response(200, headers=headers, stream=_Stream()))
    async with make_client(config()) as client, client.stream("GET", "/a") as response:
        with pytest.raises(AnswerTooLarge):
            await read_bounded(response, 5000)


class _Stream(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in _chunks():
            yield chunk


@respx.mock
async def test_body_within_the_limit_is_read_whole() -> None:
    respx.get(f"{URL}/a").mock(return_value=httpx.Response(200, stream=_Stream()))
    async with make_client(config()) as client, client.stream("GET", "/a") as response:
        assert len(await read_bounded(response, 10_000)) == 10_000


@pytest.mark.parametrize(
    ("status", "kind", "may_have_run"),
    [
        (302, BackendError, False),
        (400, RequestRejected, None),
        (401, BackendAuthError, False),
        (403, BackendAuthError, False),
        (404, UnexpectedAnswer, False),
        (422, RequestRejected, None),
        (429, RateLimited, False),
        (500, BackendUnavailable, True),
        (502, BackendGone, True),
        (503, BackendGone, False),
        (521, BackendGone, False),
        (504, BackendUnavailable, True),
        (524, BackendUnavailable, True),
    ],
)
def test_status_becomes_one_of_our_errors(status: int, kind: type[GenerationError], may_have_run: bool | None) -> None:
    error = translate("The GPU", httpx.Response(status, text="secret"))
    assert type(error) is kind
    assert error.user_message.startswith("The GPU")
    assert error.hint
    assert "secret" not in error.user_message + error.hint
    assert getattr(error, "may_have_run", None) == may_have_run


def _caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "kind", "word", "may_have_run"),
    [
        (_caused(httpx.ConnectError("x"), ConnectionRefusedError()), BackendGone, "not running", False),
        (_caused(httpx.ConnectError("x"), ExceptionGroup("all", [ConnectionRefusedError()])), BackendGone,
         "not running", False),
        (_caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), BackendGone, "does not exist", False),
        (_caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError()), BackendGone, "certificate", False),
        (httpx.ConnectTimeout("x"), BackendGone, "cannot be reached", False),
        (httpx.PoolTimeout("x"), BackendUnavailable, "cannot be reached", False),
        (httpx.ReadTimeout("x"), BackendUnavailable, "in time", True),
        (httpx.ReadError("x"), BackendUnavailable, "broke", True),
        (httpx.RemoteProtocolError("x"), BackendUnavailable, "broke", True),
        (httpx.UnsupportedProtocol("x"), BackendError, "not valid", False),
        (httpx.DecodingError("x"), UnexpectedAnswer, "garbles", True),
        (AnswerTooLarge("x"), UnexpectedAnswer, "more than", True),
        (json.JSONDecodeError("x", "y", 0), UnexpectedAnswer, "cannot be read", True),
        (RuntimeError("x"), BackendError, "failed", False),
    ],
)  # fmt: skip
def test_exception_becomes_one_of_our_errors(
    failure: Exception, kind: type[BackendError], word: str, may_have_run: bool
) -> None:
    error = translate("The GPU", failure)
    assert type(error) is kind
    assert isinstance(error, BackendError)
    assert word in error.user_message
    assert error.may_have_run is may_have_run


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (_caused(httpx.ConnectError("x"), ConnectionRefusedError()), "refused"),
        (_caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "no such address"),
        (_caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError()), "no valid certificate"),
        (httpx.ConnectTimeout("x"), "no answer"),
        (httpx.Response(502), "nothing behind its proxy"),
    ],
)
def test_an_engine_that_is_gone_is_so_for_a_reason_in_a_few_words(
    failure: Exception | httpx.Response, reason: str
) -> None:
    error = translate("The GPU", failure)
    assert isinstance(error, BackendGone)
    assert error.reason == reason


def test_answer_of_the_wrong_shape_cannot_be_read_and_is_not_logged_whole() -> None:
    class Shape(BaseModel):
        images: list[str]

    with pytest.raises(ValidationError) as caught:
        Shape.model_validate({"images": "a private prompt"})
    error = translate("The GPU", caught.value)
    assert isinstance(error, UnexpectedAnswer)
    assert "private" not in error.detail


def test_web_page_instead_of_an_answer_is_named() -> None:
    page = httpx.Response(200, html="<!DOCTYPE html><title>Log in</title>")
    assert "web page" in translate("The GPU", page).user_message


def test_our_own_errors_pass_unchanged() -> None:
    error = RequestRejected("no")
    assert translate("The GPU", error) is error


def test_judgement_whether_it_ran_can_be_overruled() -> None:
    error = translate("The GPU", httpx.ReadTimeout("x"), may_have_run=False)
    assert isinstance(error, BackendError)
    assert not error.may_have_run


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("99999999", 86400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_retry_after_travels_on_the_error() -> None:
    error = translate("The GPU", httpx.Response(429, headers={"Retry-After": "12"}))
    assert error.retry_after == 12.0


async def test_refused_connection_is_recognised_on_a_real_socket() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with make_client(config(url=f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get("/a")
    assert "not running" in translate("The GPU", caught.value).user_message
