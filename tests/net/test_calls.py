"""The client that engines speak through: bounded, and every failure one of our errors."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import BaseModel, TypeAdapter

from generation.errors import (
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    RequestRejected,
    UnexpectedAnswer,
)
from net.calls import Calls, read_as
from net.reply import AnswerTooLarge, Reply, read_reply

URL = "http://gpu.example.com:7860"


class Names(BaseModel):
    names: list[str]


class Stream(httpx.AsyncByteStream):
    """A body of 10,000 bytes in a hundred pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100


def calls_to(answer: httpx.Response | Exception, **options: object) -> Calls:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(base_url=URL, transport=httpx.MockTransport(respond))
    return Calls("The GPU", client, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "10000"}])
async def test_a_body_larger_than_the_limit_is_not_read(headers: dict[str, str]) -> None:
    with pytest.raises(AnswerTooLarge):
        await read_reply(httpx.Response(200, headers=headers, stream=Stream()), 9_999)


async def test_a_body_within_the_limit_is_read_whole() -> None:
    reply = await read_reply(httpx.Response(200, stream=Stream()), 10_000)
    assert (reply.status, len(reply.body)) == (200, 10_000)


async def test_a_limit_is_that_of_the_call_or_of_the_server() -> None:
    with pytest.raises(UnexpectedAnswer, match="The GPU answers with more than any picture needs"):
        await calls_to(httpx.Response(200, stream=Stream()), limit=5_000).call("GET", "/a")
    calls = calls_to(httpx.Response(200, stream=Stream()), limit=5_000)
    assert len((await calls.call("GET", "/a", limit=10_000)).body) == 10_000


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("x"), BackendGone),
        (httpx.ReadTimeout("x"), BackendUnavailable),
        (httpx.DecodingError("x"), UnexpectedAnswer),
        (httpx.InvalidURL("x"), BackendError),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "a key that is no header"), UnexpectedAnswer),
    ],
)
async def test_a_failure_is_one_of_our_errors_with_the_engines_name(
    failure: Exception, kind: type[GenerationError]
) -> None:
    with pytest.raises(GenerationError) as caught:
        await calls_to(failure).call("GET", "/a")
    assert type(caught.value) is kind
    assert "The GPU" in caught.value.user_message
    assert caught.value.__cause__ is failure


async def test_whether_it_may_have_run_is_for_the_call_to_say() -> None:
    for may_have_run in (True, False):
        with pytest.raises(BackendUnavailable) as caught:
            await calls_to(httpx.ReadTimeout("x")).call("GET", "/a", may_have_run=may_have_run)
        assert caught.value.may_have_run is may_have_run


async def test_an_error_of_ours_passes_as_it_is() -> None:
    refused = BackendError("This engine's address is refused.")
    with pytest.raises(BackendError) as caught:
        await calls_to(refused).call("GET", "/a")
    assert caught.value is refused


async def test_an_answer_that_is_no_success_is_a_value() -> None:
    reply = await calls_to(httpx.Response(409, text="taken")).call("GET", "/a")
    assert (reply.status, reply.body, reply.is_success) == (409, b"taken", False)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(422, json={"detail": "steps must be less than 50"}), RequestRejected),
        (httpx.Response(200, html="<html>Log in</html>"), UnexpectedAnswer),
        (httpx.Response(200, text="\n<!DOCTYPE html>"), UnexpectedAnswer),
    ],
)
async def test_what_is_fetched_is_a_success_and_no_web_page(
    answer: httpx.Response, kind: type[GenerationError]
) -> None:
    with pytest.raises(kind):
        await calls_to(answer).fetch("GET", "/a")


async def test_an_engine_says_what_its_refusals_mean() -> None:
    def refusal(label: str, reply: Reply) -> GenerationError:
        return RequestRejected(f"{label} has no {reply.body.decode()}.")

    calls = calls_to(httpx.Response(404, text="such model"), refusal=refusal)
    with pytest.raises(RequestRejected, match="The GPU has no such model"):
        await calls.fetch("GET", "/a")


async def test_an_answer_is_read_as_a_model_or_as_what_an_adapter_makes_of_it() -> None:
    calls = calls_to(httpx.Response(200, json={"names": ["a"]}))
    assert await calls.read(Names, "/a") == Names(names=["a"])
    assert await calls.as_kind(TypeAdapter(list[int]), b"[1]") == [1]
    assert read_as("The GPU", Names, json.dumps({"names": ["ü" * 100_000]}).encode()).names[0][0] == "ü"
    assert await calls.parse(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"no JSON", b'{"names": 5}', b"[" * 5_000, b"\xff"])
async def test_an_answer_of_another_form_cannot_be_read(body: bytes) -> None:
    calls = calls_to(httpx.Response(200, content=body))
    with pytest.raises(UnexpectedAnswer, match="cannot be read"):
        await calls.read(Names, "/a")
    with pytest.raises(UnexpectedAnswer, match="cannot be read"):
        read_as("The GPU", Names, body)


async def test_what_fails_while_an_answer_is_open_is_translated() -> None:
    with pytest.raises(BackendUnavailable, match="The GPU lost the connection"):
        async with calls_to(httpx.Response(200)).open("GET", "/a"):
            raise httpx.ReadError("x")
