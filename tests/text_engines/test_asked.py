"""Both makers against strict stand-ins: what is sent, what comes back, what a failure means."""

import asyncio

import pytest
from pydantic import BaseModel

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from net.endpoint import Endpoint
from tests.engines.listener import Fault, draw
from tests.engines.text_servers import KEY, AnthropicServer, ChatServer, TextServer
from text_engines.anthropic import AnthropicEngine
from text_engines.base import PictureShown, TextEngine, TextQuestion, TokensUsed
from text_engines.costs import TextPrices
from text_engines.openai_chat import OpenAIChatEngine


class PromptForm(BaseModel):
    """A short form."""

    prompt: str
    tags: list[str]


QUESTION = TextQuestion(task="Improve it.", words="a red fox", form=PromptForm)
SEEN = TextQuestion(
    task="Describe it.", words="What is it?", form=PromptForm, picture=PictureShown(data=draw(8, 8, 1, "JPEG"))
)
MAKERS = ["anthropic", "openai", "ollama", "plain"]


def server_of(maker: str) -> TextServer:
    server = AnthropicServer() if maker == "anthropic" else ChatServer(maker)
    server.usual = {"prompt": "a red fox in snow", "tags": ["fox"]}
    return server


def engine_at(server: TextServer, *, model: str = "", key: str = KEY, vision_model: str = "") -> TextEngine:
    if isinstance(server, AnthropicServer):
        endpoint = Endpoint(url=server.url, is_trusted=True)
        return AnthropicEngine(endpoint, key, model=model or "claude-haiku-5-5")
    endpoint = Endpoint(url=f"{server.url}/v1", is_trusted=True)
    return OpenAIChatEngine(endpoint, key, model=model or "gemma4:e4b", vision_model=vision_model)


async def ask(engine: TextEngine, question: TextQuestion[PromptForm] = QUESTION) -> tuple[PromptForm, list[TokensUsed]]:
    counted: list[TokensUsed] = []
    try:
        return await engine.ask(question, counted.append), counted
    finally:
        await engine.aclose()


async def failure_of(server: TextServer, **options: str) -> GenerationError:
    with pytest.raises(GenerationError) as failed:
        await ask(engine_at(server, **options))
    return failed.value


@pytest.mark.parametrize("maker", MAKERS)
async def test_an_answer_comes_in_the_form_that_was_asked_for(maker):
    async with server_of(maker) as server:
        answer, counted = await ask(engine_at(server))
    assert answer == PromptForm(prompt="a red fox in snow", tags=["fox"])
    assert len(counted) == 1
    assert counted[0].tokens_in > 0 < counted[0].tokens_out


@pytest.mark.parametrize("maker", MAKERS)
async def test_a_picture_goes_along_as_data(maker):
    async with server_of(maker) as server:
        answer, __ = await ask(engine_at(server), SEEN)
        (asked,) = server.asked
    assert answer.tags == ["fox"]
    assert any(part["type"] in {"image", "image_url"} for part in asked["messages"][-1]["content"])


async def test_the_words_of_a_person_are_never_part_of_our_task():
    async with server_of("anthropic") as server, server_of("openai") as other:
        await ask(engine_at(server))
        await ask(engine_at(other))
    assert "fox" not in server.asked[0]["system"]
    assert "fox" not in other.asked[0]["messages"][0]["content"]
    assert other.asked[0]["messages"][1] == {"role": "user", "content": "a red fox"}


async def test_a_server_that_knows_less_is_asked_once_more_and_remembered():
    async with server_of("plain") as server:
        engine = engine_at(server)
        await engine.ask(QUESTION, lambda used: None)
        await ask(engine)
    assert server.count("POST", "/chat/completions") == 3  # one refusal in all
    assert "response_format" not in server.asked[0]
    assert "Its keys" in server.asked[0]["messages"][0]["content"]


async def test_pictures_go_to_the_model_that_sees():
    async with server_of("ollama") as server:
        server.models = ("gemma4:e2b", "qwen3-vl:2b")
        engine = engine_at(server, model="gemma4:e2b", vision_model="qwen3-vl:2b")
        await engine.ask(SEEN, lambda used: None)
        await ask(engine)
    assert [asked["model"] for asked in server.asked] == ["qwen3-vl:2b", "gemma4:e2b"]


@pytest.mark.parametrize(
    "written",
    [
        '<think>The user wants {"a": 1} a fox.</think>{"prompt": "a fox", "tags": []}',
        'Here it is:\n```json\n{"prompt": "a fox", "tags": []}\n```',
        '{"prompt": "a fox", "tags": [], "remark": "hi"}',
    ],
)
async def test_thoughts_fences_and_more_keys_are_passed_over(written):
    async with server_of("ollama") as server:
        server.answers = [written]
        answer, __ = await ask(engine_at(server))
    assert answer.prompt == "a fox"


@pytest.mark.parametrize("maker", ["anthropic", "openai"])
@pytest.mark.parametrize("written", ["", "Sure! A fox.", '{"prompt": 5}', '{"prompt": "cut o'])
async def test_what_is_no_answer_of_that_form_is_called_so(maker, written):
    async with server_of(maker) as server:
        server.answers = [written]
        error = await failure_of(server)
    assert isinstance(error, UnexpectedAnswer)


@pytest.mark.parametrize(("maker", "stop"), [("anthropic", "max_tokens"), ("openai", "length")])
async def test_an_answer_that_was_cut_off_is_none_and_is_counted(maker, stop):
    async with server_of(maker) as server:
        server.stop = stop
        counted: list[TokensUsed] = []
        engine = engine_at(server)
        with pytest.raises(UnexpectedAnswer):
            await engine.ask(QUESTION, counted.append)
        await engine.aclose()
    assert len(counted) == 1


@pytest.mark.parametrize("maker", ["anthropic", "openai"])
async def test_a_refusal_keeps_its_reason(maker):
    async with server_of(maker) as server:
        server.stop = "refusal"
        error = await failure_of(server)
    assert isinstance(error, ContentBlocked)
    assert "person" in error.user_message


async def test_a_filter_before_the_model_is_a_refusal_too():
    async with server_of("openai") as server:
        server.stop = "content_filter"
        assert isinstance(await failure_of(server), ContentBlocked)


ANTHROPIC_ERRORS = [
    (400, "invalid_request_error", "messages: too long", RequestRejected),
    (400, "invalid_request_error", "Your credit balance is too low to access the API.", BackendError),
    (401, "authentication_error", "invalid x-api-key", BackendAuthError),
    (402, "billing_error", "Your credit balance is too low.", BackendError),
    (403, "permission_error", "Your API key does not have permission.", BackendAuthError),
    (404, "not_found_error", "model: claude-x", CapabilityError),
    (413, "request_too_large", "Request exceeds the maximum size", RequestRejected),
    (429, "rate_limit_error", "This request would exceed your rate limit.", RateLimited),
    (500, "api_error", "Internal server error", BackendUnavailable),
    (529, "overloaded_error", "Overloaded", BackendUnavailable),
]


@pytest.mark.parametrize(("status", "kind", "message", "expected"), ANTHROPIC_ERRORS)
async def test_each_failure_of_anthropics_has_its_meaning(status, kind, message, expected):
    async with server_of("anthropic") as server:
        body = {"type": "error", "error": {"type": kind, "message": message}}
        server.faults = [Fault("status", status=status, body=body, headers={"retry-after": "17"})]
        error = await failure_of(server)
    assert type(error) is expected
    assert "claude-haiku-5-5" in error.user_message
    assert KEY not in f"{error} {error.hint} {error.detail}"
    assert "steps" not in error.hint


async def test_a_model_that_was_not_pulled_is_named():
    async with server_of("ollama") as server:
        error = await failure_of(server, model="qwen3:8b")
    assert isinstance(error, CapabilityError)
    assert "qwen3:8b" in error.user_message


async def test_a_wrong_key_is_for_the_owner():
    async with server_of("openai") as server:
        error = await failure_of(server, key="sk-wrong")
    assert isinstance(error, BackendAuthError)
    assert "sk-wrong" not in f"{error} {error.hint}"


@pytest.mark.parametrize("kind", ["html", "truncate", "reset"])
async def test_what_breaks_on_the_way_is_one_of_our_errors(kind):
    async with server_of("openai") as server:
        server.faults = [Fault(kind, status=200)]
        assert isinstance(await failure_of(server), BackendError)


async def test_an_answer_without_end_is_not_read_to_its_end():
    async with server_of("openai") as server:
        server.faults = [Fault("status", status=200, body="x" * 600_000)]
        assert isinstance(await failure_of(server), UnexpectedAnswer)


async def test_nothing_there_is_told_at_once():
    async with server_of("openai") as server:
        engine = engine_at(server)
    with pytest.raises(BackendGone):
        await ask(engine)


@pytest.mark.parametrize("maker", MAKERS)
async def test_the_models_of_a_server_are_listed(maker):
    async with server_of(maker) as server:
        engine = engine_at(server)
        assert await engine.models() == server.models
        server.models = ()
        assert await engine.models() == ()
        await engine.aclose()


async def test_a_call_that_is_given_up_ends():
    async with server_of("openai") as server:
        server.faults = [Fault("hang")]
        engine = engine_at(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await engine.ask(QUESTION, lambda used: None)
        await engine.aclose()


def test_an_answer_costs_what_the_price_list_says():
    used = TokensUsed(tokens_in=2_000_000, tokens_cached=500_000, tokens_out=1_000_000)
    prices = TextPrices()
    assert prices.cost("claude-haiku-5-5", used) == pytest.approx(0.655)
    assert prices.cost("claude-haiku-5-5-20261007", used) == pytest.approx(0.655)
    assert prices.cost("gemma4:e4b", used) == 0.0
