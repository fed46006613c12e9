"""Rules for every request, seen from the application behind it."""

import asyncio
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from api import middleware
from settings.web import WebSettings

SETTINGS = WebSettings()
SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost")]}


async def call(app: Any, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Send these parts of a request, then nothing more; return what was answered."""
    parts, answers = list(messages), []

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.sleep(60)
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await middleware.Guard(app, SETTINGS)(SCOPE, receive, send)
    return answers


async def test_waiting_for_a_client_to_leave_has_no_time_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.01)
    waited = []

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        gone = asyncio.create_task(receive())
        await asyncio.sleep(0.03)
        waited.append(not gone.done())
        gone.cancel()

    await call(stream, {"type": "http.request", "body": b"", "more_body": False})
    assert waited == [True]


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.01)

    async def read(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    answers = await call(read, {"type": "http.request", "body": b"a", "more_body": True})
    assert answers[0]["status"] == 408


async def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware, "MAX_BODY_BYTES", 4)

    async def read(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    answers = await call(read, {"type": "http.request", "body": b"abcde", "more_body": True})
    assert answers[0]["status"] == 413


async def answer_early(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b""})


SENT = ({"type": "http.request", "body": b"a" * 10, "more_body": True}, {"type": "http.request", "body": b"b"})


async def test_what_is_refused_early_is_read_to_its_end_first_since_who_still_sends_reads_no_answer():
    asked = []
    app = middleware.Guard(answer_early, SETTINGS)
    parts = list(SENT)

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return parts.pop(0)

    answers: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        assert not parts
        answers.append(message)

    await app(SCOPE | {"headers": [*SCOPE["headers"], (b"content-length", b"11")]}, receive, send)
    assert (len(asked), answers[0]["status"]) == (2, 401)
    assert (b"connection", b"close") in answers[0]["headers"]


@pytest.mark.parametrize("more", [[], [(b"content-length", b"11"), (b"expect", b"100-continue")]])
async def test_nothing_is_waited_for_that_the_client_does_not_send(more: list[tuple[bytes, bytes]]):
    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing comes")

    answers: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await middleware.Guard(answer_early, SETTINGS)(SCOPE | {"headers": [*SCOPE["headers"], *more]}, receive, send)
    assert answers[0]["status"] == 401


async def test_a_stream_begins_at_once_though_its_request_has_a_body_that_nobody_reads():
    """A stream listens for the client leaving meanwhile, and may be handed the end of the body."""
    stream = StreamingResponse(iter([b"a"]))
    parts = [SENT[-1]]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return parts.pop(0) if parts else await asyncio.Event().wait()

    answers: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    scope = SCOPE | {"headers": [*SCOPE["headers"], (b"transfer-encoding", b"chunked")]}
    await asyncio.wait_for(middleware.Guard(stream, SETTINGS)(scope, receive, send), 1)
    assert [answer.get("body") for answer in answers] == [None, b"a", b""]
