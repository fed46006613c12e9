"""The tools as the official client sees and calls them."""

import asyncio
import base64
import io
import random
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from PIL import Image

from assistants.drawing import ask_for_budget
from generation.job import Origin
from generation.request import Draft
from generation.result import GeneratedImage, GenerationResult
from generation.workflow_options import CHOICE, FLAG, WHOLE, WorkflowOption
from tests.api.conftest import png
from tests.assistants.conftest import assistant_at, served
from tests.paid import PaidBackend

EIGHT = {"draw", "edit", "job", "cancel", "pictures", "engines", "parse", "describe"}
SMALL = {"width": 64, "height": 64, "steps": 4}

WITHOUT_MCP = "needs requirements-mcp.txt: make test-mcp"


@asynccontextmanager
async def opened(folder):
    async with served(folder) as (site, url), assistant_at(url) as client:
        yield site, client


def picture_in(result) -> Image.Image:
    block = next(block for block in result.content if block.type == "image")
    return Image.open(io.BytesIO(base64.b64decode(block.data)))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_eight_tools_are_offered_and_a_picture_is_drawn_in_both_eras_of_the_protocol(tmp_path, mode):
    async with served(tmp_path) as (site, url), assistant_at(url, mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        heard = []

        async def note(progress, total, message) -> None:
            heard.append((progress, total, message))

        result = await client.call_tool("draw", {"prompt": "a red fox", **SMALL}, progress_callback=note)
        job = await site.web.services.generation.get(result.structured_content["job_id"])
        link = next(block for block in result.content if block.type == "resource_link")
        shown = await site.visitor().get(link.uri.removeprefix(url.removesuffix("/mcp")))
    assert set(tools) == EIGHT
    assert tools["draw"].input_schema["required"] == ["prompt"]
    assert tools["draw"].description
    assert (result.is_error, result.structured_content["status"]) == (False, "done")
    assert picture_in(result).size == (64, 64)
    assert shown.status_code == 200
    assert (job.origin.door, job.user_key, job.request.prompt) == ("api", "api:local", "a red fox")
    assert heard
    assert all(total == 1.0 for __, total, __ in heard)


async def test_who_may_only_read_is_offered_what_reads(tmp_path):
    async with served(tmp_path) as (site, url):
        __, key = await site.web.access.create_key("reader", ["read"])
        async with assistant_at(url, key) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            refused = await client.call_tool("draw", {"prompt": "a fox"})
    assert names == {"job", "pictures", "engines", "parse"}
    assert refused.is_error
    assert refused.structured_content["code"] == "not_allowed"


async def test_nobody_unknown_and_no_page_of_another_site_comes_in(tmp_path):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with served(tmp_path) as (site, __):
        stranger = await site.visitor().post("/mcp", json=body)
        page = await site.client.post("/mcp", json=body, headers={"Origin": "https://evil.example"})
        rebound = await site.client.post("/mcp", json=body, headers={"Host": "evil.example"})
    assert (stranger.status_code, page.status_code, rebound.status_code) == (401, 403, 421)
    assert stranger.json()["code"] == "sign_in"


async def test_what_is_off_says_so(tmp_path):
    async with served(tmp_path, MCP="false") as (site, __):
        answer = await site.client.post("/mcp", json={})
    assert answer.status_code == 404
    assert "MCP" in answer.json()["error"]


async def test_a_wrong_value_is_named(tmp_path):
    async with opened(tmp_path) as (__, client):
        wrong = await client.call_tool("draw", {"prompt": "a fox", "steps": "many"})
        unknown = await client.call_tool("draw", {"prompt": "a fox", "lighting": "soft"})
        missing = await client.call_tool("job", {"job_id": "nothing"})
        no_tool = await client.call_tool("paint", {})
        assert [answer.is_error for answer in (wrong, unknown, missing, no_tool)] == [True] * 4
        assert wrong.structured_content["field"] == "steps"
        assert unknown.structured_content["field"] == "lighting"
        assert "There is no job" in missing.structured_content["error"]
        assert "no tool" in no_tool.structured_content["error"]


async def test_a_job_is_waited_for_later_and_the_same_request_is_the_same_job(tmp_path):
    async with opened(tmp_path) as (__, client):
        asked = {"prompt": "a fox", "wait_s": 0, "request_id": "one", **SMALL}
        first = await client.call_tool("draw", asked)
        again = await client.call_tool("draw", asked)
        job_id = first.structured_content["job_id"]
        done = await client.call_tool("job", {"job_id": job_id, "wait_s": 30})
        listed = await client.call_tool("pictures", {"limit": 5})
        assert again.structured_content["job_id"] == job_id
        assert done.structured_content["status"] == "done"
        assert picture_in(done).size == (64, 64)
        assert [job["job_id"] for job in listed.structured_content["jobs"]] == [job_id]


async def test_a_picture_is_changed_by_its_id_by_data_and_with_a_mask(tmp_path):
    async with opened(tmp_path) as (__, client):
        drawn = await client.call_tool("draw", {"prompt": "a fox", **SMALL})
        media_id = drawn.structured_content["pictures"][0]["id"]
        source = base64.b64encode(png(64, 64, "#804020")).decode()
        mask = base64.b64encode(png(64, 64, "#ffffff")).decode()
        by_id = await client.call_tool("edit", {"picture": media_id, "prompt": "in snow", "strength": 0.5})
        by_data = await client.call_tool("edit", {"picture": source, "prompt": "a cat"})
        masked = await client.call_tool("edit", {"picture": source, "mask": mask, "prompt": "a cat"})
        nothing = await client.call_tool("edit", {"picture": "no-such-picture", "prompt": "a cat"})
        larger = await client.call_tool("edit", {"picture": media_id, "upscale": 2})
        assert larger.content[0].text == f"Job {larger.structured_content['job_id']} is done."
        for result in (by_id, by_data, masked):
            assert result.structured_content["status"] == "done", result
            assert picture_in(result).size == (64, 64)
        assert nothing.structured_content["field"] == "picture"


async def test_a_private_picture_of_somebody_else_is_as_if_not_there(tmp_path):
    async with served(tmp_path) as (site, url), assistant_at(url) as mine:
        drawn = await mine.call_tool("draw", {"prompt": "a secret", "private": True, **SMALL})
        __, key = await site.web.access.create_key("other", ["read", "generate"])
        async with assistant_at(url, key) as other:
            seen = await other.call_tool("job", {"job_id": drawn.structured_content["job_id"]})
            media_id = drawn.structured_content["pictures"][0]["id"]
            used = await other.call_tool("edit", {"picture": media_id, "prompt": "mine"})
    assert "There is no job" in seen.structured_content["error"]
    assert "no picture here" in used.structured_content["error"]


async def test_a_job_is_cancelled(tmp_path):
    async with served(tmp_path, SKETCH_DELAY_S="30") as (__, url), assistant_at(url) as client:
        asked = await client.call_tool("draw", {"prompt": "a fox", "wait_s": 0, **SMALL})
        ended = await client.call_tool("cancel", {"job_id": asked.structured_content["job_id"]})
        again = await client.call_tool("job", {"job_id": asked.structured_content["job_id"]})
    assert asked.structured_content["status"] in ("queued", "running")
    assert ended.structured_content["status"] == "cancelled"
    assert again.is_error


async def test_engines_are_listed_prompts_read_and_what_no_engine_tells_is_said(tmp_path):
    async with opened(tmp_path) as (__, client):
        engines = await client.call_tool("engines", {})
        parsed = await client.call_tool("parse", {"text": "a fox --steps 30 --ar 3:2"})
        described = await client.call_tool("describe", {"picture": base64.b64encode(png(8, 8, "#804020")).decode()})
        assert engines.structured_content["engines"][0]["name"] == "sketch"
        assert parsed.structured_content["draft"]["steps"] == 30
        assert parsed.structured_content["draft"]["aspect"] == [3, 2]
        assert described.is_error
        assert "No engine here can say" in described.structured_content["error"]


async def test_what_costs_money_asks_first(tmp_path, monkeypatch):
    async with opened(tmp_path) as (site, client):
        generation = site.web.services.generation
        estimate = generation.estimate

        async def dear(draft: Draft, origin: Origin, **more):
            return replace(await estimate(draft, origin, **more), is_paid=True, cost_usd=0.05)

        monkeypatch.setattr(generation, "estimate", dear)
        asked = await client.call_tool("draw", {"prompt": "a fox", **SMALL})
        low = await client.call_tool("draw", {"prompt": "a fox", "budget_usd": 0.04, **SMALL})
        agreed = await client.call_tool("draw", {"prompt": "a fox", "budget_usd": 0.05, **SMALL})
        for answer in (asked, low):
            assert (answer.structured_content["status"], answer.structured_content["price_usd"]) == (
                "input_required",
                0.05,
            )
            assert "$0.05" in answer.content[0].text
        assert agreed.structured_content["status"] == "done"
        assert len(await generation.recent("api:local", 10)) == 1


async def test_a_client_that_asks_its_person_is_asked_for_the_budget_by_the_protocol(tmp_path, monkeypatch):
    types = pytest.importorskip("mcp_types", reason=WITHOUT_MCP)

    asked, answers = [], [("accept", {"budget_usd": 0.04}), ("accept", {"budget_usd": 0.05}), ("decline", None)]

    async def ask(__, params):
        asked.append(params)
        action, content = answers.pop(0)
        return types.ElicitResult(action=action, content=content)

    async with served(tmp_path) as (site, url), assistant_at(url, elicitation_callback=ask) as client:
        generation = site.web.services.generation
        estimate = generation.estimate

        async def dear(draft: Draft, origin: Origin, **more):
            return replace(await estimate(draft, origin, **more), is_paid=True, cost_usd=0.05)

        monkeypatch.setattr(generation, "estimate", dear)
        drawn = await client.call_tool("draw", {"prompt": "a fox", "request_id": "one", **SMALL})
        refused = await client.call_tool("draw", {"prompt": "an owl", **SMALL})
        jobs = await generation.recent("api:local", 10)
    assert drawn.structured_content["status"] == "done"
    assert [(params.message, params.requested_schema["properties"]["budget_usd"]["default"]) for params in asked] == [
        ("This costs about $0.05 on sketch.", 0.05)
    ] * 3
    assert refused.structured_content["status"] == "declined"
    assert refused.is_error
    assert [view.job.request.prompt for view in jobs] == ["a fox"]


async def test_a_daily_budget_that_is_short_is_told_before_anybody_is_asked_and_free_engines_are_named(tmp_path):
    types = pytest.importorskip("mcp_types", reason=WITHOUT_MCP)

    questions = []

    async def ask(__, params):
        questions.append(params)
        return types.ElicitResult(action="accept", content={"budget_usd": 1.0})

    async with served(tmp_path, USER_DAILY_BUDGET_USD="0.05") as (site, url):
        shop = await PaidBackend.opened(site.easel.registry)
        wanted = {"prompt": "a fox", "engine": "shop", **SMALL}
        async with assistant_at(url) as client:
            drawn = await client.call_tool("draw", wanted | {"budget_usd": 0.05})
            unasked = await client.call_tool("draw", wanted)
            agreed = await client.call_tool("draw", wanted | {"budget_usd": 1.0})
            offer = agreed.structured_content["offers"][0]
            free = await client.call_tool("draw", wanted | {"engine": offer["backend"]})
        async with assistant_at(url, elicitation_callback=ask) as client:
            asking = await client.call_tool("draw", wanted)
        charges = await site.easel.database.fetch("SELECT usd FROM charges")
    assert drawn.structured_content["status"] == "done"
    for answer in (unasked, agreed, asking):
        body = answer.structured_content
        assert (answer.is_error, body["code"]) == (True, "budget_exceeded")
        assert "Daily budget exceeded: you have used $0.04 of $0.05" in body["error"]
        assert "(00:00 UTC)" in body["error"]
        assert 0 < body["retry_after"] <= 86_400
        assert "Within the budget: " in answer.content[0].text
    assert (offer["backend"], offer["cost_usd"]) == ("sketch", 0.0)
    assert free.structured_content["status"] == "done"
    assert questions == []
    assert len(shop.requests) == len(charges) == 1


async def test_all_that_a_line_asks_for_is_in_the_price_that_is_asked_about(tmp_path):
    async with opened(tmp_path) as (site, client):
        shop = await PaidBackend.opened(site.easel.registry)
        wanted = {"prompt": "a {red, blue} fox --backend {sketch, shop} --repeat 2", **SMALL}
        answers = [await client.call_tool("draw", wanted | more) for more in ({}, {"budget_usd": 0.15})]
        assert [answer.structured_content["price_usd"] for answer in answers] == pytest.approx([0.16, 0.16])
        assert await site.web.services.generation.recent("api:local", 10) == []
        agreed = await client.call_tool("draw", wanted | {"budget_usd": 0.16})
        assert not agreed.is_error
        assert len(shop.requests) == 4


def test_a_price_that_nobody_can_say_is_asked_about_too():
    assert ask_for_budget(None, "It costs something.").values["price_usd"] is None


async def test_each_saved_workflow_is_a_tool_with_its_options(tmp_path, monkeypatch):
    async with opened(tmp_path) as (site, client):
        workflows = site.web.services.workflows
        options = (
            WorkflowOption(name="detail", kind=WHOLE, low=1, high=5, default="2"),
            WorkflowOption(name="style", kind=CHOICE, choices=("ink", "oil"), default="ink"),
            WorkflowOption(name="hd", kind=FLAG, default="no"),
        )

        class Stored:
            name, version, lines = "My Portrait!", "abcdef0123", ("prompt: node 6",)

        async def listed(person):
            return (Stored(),)

        async def load(workflow):
            return workflow

        async def offered(workflow, person):
            return options

        monkeypatch.setattr(workflows, "list", listed)
        monkeypatch.setattr(workflows, "load", load)
        monkeypatch.setattr(workflows, "options", offered)
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        fields = tools["workflow_my_portrait"].input_schema["properties"]
        assert fields["detail"] == {"type": "integer", "minimum": 1, "maximum": 5} | {
            "description": fields["detail"]["description"]
        }
        assert fields["style"]["enum"] == ["ink", "oil"]
        assert fields["hd"]["type"] == "boolean"
        refused = await client.call_tool("workflow_my_portrait", {"prompt": "a fox", "detail": 3, "hd": True})
        assert refused.is_error  # the sketch engine takes no workflow, and the refusal says so
        assert refused.structured_content["error"]


async def test_workflows_whose_names_differ_by_signs_or_are_long_are_a_tool_each(tmp_path, monkeypatch):
    names = ("My Portrait!", "my-portrait", "夜の狐", "x" * 60, "x" * 59 + "y")

    async def listed(person):
        return [SimpleNamespace(name=name, version=f"{n:010}", lines=()) for n, name in enumerate(names)]

    async def offered(workflow, person):
        return ()

    async with opened(tmp_path) as (site, client):
        monkeypatch.setattr(site.web.services.workflows, "list", listed)
        monkeypatch.setattr(site.web.services.workflows, "options", offered)
        tools = {tool.title: tool.name for tool in (await client.list_tools()).tools if tool.title in names}
    assert len({*tools.values()}) == len(names)
    assert tools["My Portrait!"] == "workflow_my_portrait"
    assert all(re.fullmatch(r"[a-z0-9_]{1,64}", name) for name in tools.values()), "assistants take no others"


async def test_who_goes_away_in_mid_request_leaves_no_fault_in_the_log(tmp_path, caplog):
    async with served(tmp_path) as (__, url):
        address = httpx.URL(url)
        head = f"POST /mcp HTTP/1.1\r\nHost: {address.netloc.decode()}\r\nContent-Type: application/json\r\n"
        __, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(f"{head}Accept: application/json, text/event-stream\r\nContent-Length: 900\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        async with assistant_at(url) as client:
            assert not (await client.call_tool("engines", {})).is_error
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_its_owner_finds_the_job_by_their_own_account(tmp_path):
    async with served(tmp_path) as (site, url):
        __, key = await site.web.access.create_key("mine", ["read", "generate"], user_key="discord:7")
        async with assistant_at(url, key) as client:
            drawn = await client.call_tool("draw", {"prompt": "a fox", **SMALL})
        views = await site.web.services.generation.recent("discord:7", 5)
    assert [view.job.id for view in views] == [drawn.structured_content["job_id"]]


async def test_a_large_picture_comes_inline_as_a_smaller_copy(tmp_path):
    pixels = random.Random(7).randbytes(1200 * 1200 * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (1200, 1200), pixels).save(file, "PNG", compress_level=1)

    async def generate(request, report):
        return GenerationResult(images=(GeneratedImage(data=file.getvalue(), seed=request.seed),))

    async with opened(tmp_path) as (site, client):
        site.easel.registry.get("sketch").backend.generate = generate
        drawn = await client.call_tool("draw", {"prompt": "noise", "width": 1200, "height": 1200})
        block = next(block for block in drawn.content if block.type == "image")
    assert drawn.structured_content["pictures"][0]["width"] == 1200
    assert len(base64.b64decode(block.data)) <= 1_000_000
    assert max(picture_in(drawn).size) <= 1024
