"""Words over HTTP: enhanced prompts by a text engine on a real socket, and by rules where it cannot."""

import logging
from contextlib import asynccontextmanager

import pytest

from tests.api.conftest import png, site_at
from tests.api.dialects import data_url
from tests.engines.listener import Fault
from tests.engines.text_servers import ENHANCED, KEY, AnthropicServer, ChatServer


@asynccontextmanager
async def site_with(server, folder, **environ):
    """Easel with a text engine."""
    if isinstance(server, AnthropicServer):
        given = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
    else:
        given = {"TEXT_ENGINE_URL": server.url, "TEXT_ENGINE_KEY": KEY, "TEXT_ENGINE_MODEL": "gemma4:e4b"}
    async with site_at(folder, **given | environ) as site:
        yield site


async def enhanced(client, prompt="a red fox"):
    answer = await client.post("/api/images/enhance-prompt", json={"prompt": prompt})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("server", [AnthropicServer(), ChatServer("openai"), ChatServer("ollama")])
async def test_suggestions_are_whole_prompts_and_tags_are_words(server, tmp_path):
    async with server, site_with(server, tmp_path) as site:
        found = await enhanced(site.client)
    assert found == {
        "success": True,
        "enhancedPrompt": ENHANCED["prompt"],
        "suggestions": ENHANCED["alternatives"],
        "tags": ENHANCED["tags"],
        "source": server.models[0],
        "notes": [],
    }


async def test_a_failed_text_engine_leaves_it_to_the_rules_and_that_is_written(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with AnthropicServer() as server, site_with(server, tmp_path) as site:
        server.faults = [Fault("status", status=401, body={"error": {"type": "authentication_error", "message": "no"}})]
        found = await enhanced(site.client)
    assert found["source"] == "rules"
    assert found["notes"] == ["The key of claude-haiku-5-5 is refused. The rules wrote this instead."]
    assert found["enhancedPrompt"].startswith("a red fox, ")
    assert KEY not in caplog.text
    assert "a red fox" not in "".join(record.getMessage() for record in caplog.records if record.levelno > 10)


async def test_without_one_it_is_written_that_the_rules_did(client):
    found = await enhanced(client)
    assert found["notes"] == ["No text engine is connected here: the rules wrote this."]


async def test_who_may_only_read_gets_the_rules(tmp_path):
    async with AnthropicServer() as server, site_with(server, tmp_path) as site:
        found = await enhanced(await site.key_client("read"))
        assert (found["source"], server.asked) == ("rules", [])
        assert (await enhanced(await site.key_client("read", "generate")))["source"] == "claude-haiku-5-5"


async def test_its_cost_is_among_the_figures(tmp_path):
    async with AnthropicServer() as server, site_with(server, tmp_path) as site:
        await enhanced(site.client)
        server.stop = "refusal"
        await enhanced(site.client)
        figures = (await site.client.get("/metrics")).text
    assert 'easel_text_answers_total{model="claude-haiku-5-5",purpose="enhance",status="done"} 1.0' in figures
    assert 'easel_text_answers_total{model="claude-haiku-5-5",purpose="enhance",status="failed"} 1.0' in figures
    assert 'easel_text_cost_usd_total{model="claude-haiku-5-5"} 0.4' in figures  # 2 x (0.10 + 0.2 x 0.50)


async def test_sexual_words_about_minors_reach_no_text_engine(tmp_path):
    async with AnthropicServer() as server, site_with(server, tmp_path) as site:
        answer = await site.client.post("/api/images/enhance-prompt", json={"prompt": "a naked child"})
        assert answer.status_code == 403
        assert server.asked == []


SEEN = {"prompt": "a blue square, flat colours", "alt": "A plain blue square.", "tags": ["Square", "blue"]}


@pytest.mark.parametrize("server", [AnthropicServer(), ChatServer("ollama")])
async def test_a_picture_is_described_and_analyzed_by_a_model_that_sees(server, tmp_path):
    server.usual = SEEN
    async with server, site_with(server, tmp_path) as site:
        picture = (await site.client.post("/api/uploads", content=png())).json()["media_id"]
        described = await site.client.post("/api/describe", json={"media_id": picture})
        analyzed = await site.client.post("/api/images/analyze", json={"imageUrl": data_url(png())})
    assert described.json() == {"text": SEEN["prompt"], "engine": server.models[0], "notes": []}
    assert analyzed.json() == {
        "success": True, "analysis": SEEN["prompt"], "tags": ["square", "blue"], "provider": server.models[0],
        "notes": [],
    }  # fmt: skip


async def test_a_model_that_sees_nothing_leaves_it_to_an_engine_or_says_so(tmp_path):
    async with ChatServer("blind") as server, site_with(server, tmp_path) as site:
        answer = await site.client.post("/api/images/analyze", json={"imageUrl": data_url(png())})
    assert answer.status_code == 400
    assert "does not support images" in answer.json()["error"]


async def test_alt_texts_are_in_the_api_too_and_go_with_the_words(tmp_path):
    async with AnthropicServer() as server, site_with(server, tmp_path, TEXT_ENGINE_ALT_TEXTS="true") as site:
        server.usual = {"alt": "A fox looks at the camera."}
        job = await site.draw()
        assert job["images"][0]["alt"].startswith("Generated picture: A fox looks at the camera.; ")
        await site.web.services.records.forgetting.forget_job(await site.easel.jobs.get(job["id"]))
        rows = await site.easel.database.fetch("SELECT result FROM jobs")
    assert "looks at the camera" not in rows[0]["result"]


async def test_the_studio_gets_other_prompts_apart_from_advice(tmp_path, client):
    by_rules = (await client.post("/api/enhance", json={"prompt": "a red fox"})).json()
    assert (by_rules["source"], by_rules["others"]) == ("rules", [])
    assert by_rules["advice"]
    async with AnthropicServer() as server, site_with(server, tmp_path / "own") as site:
        found = (await site.client.post("/api/enhance", json={"prompt": "a red fox"})).json()
    assert found == {
        "prompt": ENHANCED["prompt"], "others": ENHANCED["alternatives"], "advice": [], "tags": ENHANCED["tags"],
        "source": "claude-haiku-5-5", "notes": [],
    }  # fmt: skip
