"""Refusals of OpenAI and the servers that speak its API, as documents and public reports give them."""

import json
import re
from pathlib import Path

import httpx
import pytest

from backends.openai_images.errors import translate_failure
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    RateLimited,
    RequestRejected,
)
from net.reply import Reply
from tests.backends.test_openai_images_contract import connect
from tests.engines.openai_server import OpenAIServer

DATA = Path(__file__).parents[1] / "data" / "openai_images"
REFUSALS = sorted(DATA.glob("error_*.json"))
SPEAKABLE = re.compile(r"https?:|req_|request ID|sk-|HTTP \d|\{|help\.openai")


def reply_of(path: Path) -> Reply:
    response = json.loads(path.read_text())["response"]
    body = json.dumps(response["body"]).encode()
    return Reply(status=response["status"], headers=httpx.Headers(response.get("headers", {})), body=body)


@pytest.mark.parametrize("path", REFUSALS, ids=lambda path: path.stem)
def test_every_documented_refusal_has_words_of_ours(path: Path) -> None:
    error = translate_failure("OpenAI", reply_of(path))
    text = f"{error.user_message} {error.hint}"
    assert "OpenAI" in error.user_message
    assert error.hint
    assert not SPEAKABLE.search(text), text


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("error_moderation_blocked", ContentBlocked, "held the picture back: sexual"),
        ("error_content_policy_violation", ContentBlocked, "refuses this"),
        ("error_insufficient_quota", BackendError, "no credit"),
        ("error_billing_hard_limit", BackendError, "no credit"),
        ("error_invalid_api_key", BackendAuthError, "key"),
        ("error_org_not_verified", BackendAuthError, "verified"),
        ("error_model_retired", CapabilityError, "shut the model dall-e-3 down on 2026-05-12"),
        ("error_rate_limit", RateLimited, "slow down"),
        ("error_slow_down", RateLimited, "slow down"),
        ("error_server", BackendUnavailable, "failed inside"),
    ],
)
def test_refusals_are_told_in_our_words(name: str, kind: type[Exception], words: str) -> None:
    error = translate_failure("OpenAI", reply_of(DATA / f"{name}.json"))
    assert type(error) is kind
    assert words in error.user_message


def test_a_rate_limit_waits_as_long_as_it_is_told_and_a_used_up_account_does_not() -> None:
    assert translate_failure("OpenAI", reply_of(DATA / "error_rate_limit.json")).retry_after == 12.0
    assert not translate_failure("OpenAI", reply_of(DATA / "error_insufficient_quota.json")).retryable
    words = Reply(
        status=429, body=b'{"error": {"message": "Please try again in 250ms.", "code": "rate_limit_exceeded"}}'
    )
    assert translate_failure("OpenAI", words).retry_after == 1.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "Invalid size format: \'1024x\'."}', "Invalid size format"),
        (b'{"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]}', "value of prompt"),
        (b'{"error": "invalid sd_cpp_extra_args"}', "invalid sd_cpp_extra_args"),
        (b'{"error": {"message": "Unknown parameter: \'seed\'.", "param": "seed"}}', "value of seed"),
    ],
)
def test_every_form_of_an_error_is_read(body: bytes, words: str) -> None:
    error = translate_failure("The server", Reply(status=400, body=body))
    assert isinstance(error, RequestRejected)
    assert words in error.user_message


def test_openrouters_refusal_keeps_its_reasons() -> None:
    body = {"error": {"code": 403, "message": "Input was flagged by moderation", "metadata": {"reasons": ["violence"]}}}
    error = translate_failure("OpenRouter", Reply(status=403, body=json.dumps(body).encode()))
    assert isinstance(error, ContentBlocked)
    assert "violence" in error.user_message


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with OpenAIServer() as server:
        backend = connect(server, key="sk-secret-0123456789abcdef")
        with pytest.raises(BackendAuthError) as caught:
            await backend.capabilities()
        await backend.aclose()
    reported = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "sk-secret" not in reported
