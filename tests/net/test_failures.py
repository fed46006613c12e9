import json
import socket
import ssl
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import BaseModel, ValidationError

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
from net.failures import parse_retry_after, translate
from net.reply import AnswerTooLarge, Reply
from tests.net.replies import reply_of


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
    error = translate("The GPU", Reply(status=status, body=b"secret"))
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
        (httpx.ReadError("x"), BackendUnavailable, "lost the connection", True),
        (httpx.RemoteProtocolError("x"), BackendUnavailable, "lost the connection", True),
        (httpx.UnsupportedProtocol("x"), BackendError, "not valid", False),
        (httpx.DecodingError("x"), UnexpectedAnswer, "cannot be read", True),
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
        (Reply(status=502), "nothing behind its proxy"),
    ],
)
def test_an_engine_that_is_gone_is_so_for_a_reason_in_a_few_words(failure: Exception | Reply, reason: str) -> None:
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
    page = reply_of(httpx.Response(200, html="<!DOCTYPE html><title>Log in</title>"))
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
    error = translate("The GPU", reply_of(httpx.Response(429, headers={"Retry-After": "12"})))
    assert error.retry_after == 12.0
