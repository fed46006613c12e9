"""The settings of the text engine: what is taken, what is refused, and what `doctor` finds."""

from pathlib import Path

import pytest

from app.text import check_text_engine, open_text_engine
from config import Settings, read_settings
from settings.reading.problems import SettingsError
from tests.engines.listener import Fault
from tests.engines.text_servers import KEY, AnthropicServer, ChatServer, TextServer


def settings_with(**environ: str) -> Settings:
    return read_settings(Path("none.env"), environ)


def settings_for(server: TextServer, **more: str) -> Settings:
    if isinstance(server, AnthropicServer):
        return settings_with(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.url, **more)
    given = {"TEXT_ENGINE_URL": server.url, "TEXT_ENGINE_KEY": KEY, "TEXT_ENGINE_MODEL": "gemma4:e4b"}
    return settings_with(**given | more)


async def model_of(settings: Settings) -> tuple[str, str]:
    engine = open_text_engine(settings)
    assert engine is not None
    await engine.aclose()
    return engine.model, engine.vision_model


async def test_a_key_of_anthropics_is_all_that_is_needed() -> None:
    assert await model_of(settings_with(ANTHROPIC_API_KEY=KEY)) == ("claude-haiku-5-5",) * 2
    assert (await model_of(settings_with(ANTHROPIC_API_KEY=KEY, ANTHROPIC_MODEL="claude-opus-5-5")))[0] == (
        "claude-opus-5-5"
    )


async def test_an_address_goes_before_anthropic_since_it_may_be_this_machine() -> None:
    settings = settings_with(
        ANTHROPIC_API_KEY=KEY, TEXT_ENGINE_URL="http://127.0.0.1:11434", TEXT_ENGINE_MODEL="gemma4:e4b",
        TEXT_ENGINE_VISION_MODEL="qwen3-vl:2b",
    )  # fmt: skip
    assert await model_of(settings) == ("gemma4:e4b", "qwen3-vl:2b")


def test_nothing_set_is_no_text_engine() -> None:
    assert open_text_engine(settings_with()) is None


def test_an_address_without_a_model_is_refused_with_an_example() -> None:
    with pytest.raises(SettingsError) as refused:
        open_text_engine(settings_with(TEXT_ENGINE_URL="http://127.0.0.1:11434"))
    (problem,) = refused.value.problems
    assert problem.name == "TEXT_ENGINE_MODEL"
    assert "gemma4" in problem.allowed


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("TEXT_ENGINE_URL", "http://llm.example.org/v1"),
        ("ANTHROPIC_BASE_URL", "http://llm.example.org"),
        ("TEXT_ENGINE_URL", "http://169.254.169.254/v1"),
    ],
)
def test_a_key_is_not_sent_unencrypted_or_where_nobody_may_go(name: str, url: str) -> None:
    settings = settings_with(**{"ANTHROPIC_API_KEY": KEY, "TEXT_ENGINE_MODEL": "x", name: url})
    with pytest.raises(SettingsError) as refused:
        open_text_engine(settings)
    assert refused.value.problems[0].name == name


def test_keys_are_among_the_secrets_that_no_log_shows() -> None:
    secrets = settings_with(ANTHROPIC_API_KEY=KEY, TEXT_ENGINE_KEY="other-key").secrets()
    assert {KEY, "other-key"} <= set(secrets)


@pytest.mark.parametrize("server", [AnthropicServer(), ChatServer("openai"), ChatServer("ollama")])
async def test_doctor_asks_for_the_model_without_cost(server: TextServer) -> None:
    async with server:
        (check,) = await check_text_engine(settings_for(server))
    assert (check.is_ok, check.message) == (True, f"{server.models[0]} answers")
    assert server.asked == []


async def test_doctor_names_a_model_that_is_not_there_and_those_that_are() -> None:
    async with ChatServer("ollama", models=("gemma4:e2b", "qwen3-vl:2b")) as server:
        (check,) = await check_text_engine(settings_for(server))
    assert not check.is_ok
    assert "gemma4:e4b" in check.message
    assert "qwen3-vl:2b" in check.hint


async def test_doctor_says_that_a_key_is_refused_and_does_not_show_it() -> None:
    async with AnthropicServer() as server:
        server.faults = [Fault("status", status=401, body={"error": {"type": "authentication_error", "message": KEY}})]
        (check,) = await check_text_engine(settings_for(server))
    assert (check.is_ok, check.message) == (False, "The key of claude-haiku-5-5 is refused.")
    assert KEY not in check.hint


async def test_doctor_finds_nothing_listening() -> None:
    async with ChatServer("ollama") as server:
        settings = settings_for(server)
    (check,) = await check_text_engine(settings)
    assert not check.is_ok


async def test_doctor_says_what_wrong_settings_must_be() -> None:
    (check,) = await check_text_engine(settings_with(TEXT_ENGINE_URL="http://127.0.0.1:11434"))
    assert (check.name, check.is_ok) == ("TEXT_ENGINE_MODEL", False)


async def test_doctor_says_that_none_is_needed() -> None:
    (check,) = await check_text_engine(settings_with())
    assert check.is_ok
    assert "rules" in check.message
