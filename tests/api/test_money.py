"""Money over HTTP: the price before, what is agreed to, what a budget offers, and the books."""

from pathlib import Path
from typing import Any

import pytest

from backends.base import BackendConfig
from backends.registry import Entry
from generation.job import Origin
from generation.money import Charge
from tests.api.conftest import Site, png, site_at
from tests.api.dialects import data_url
from tests.engines.text_servers import KEY, AnthropicServer
from tests.paid import PaidBackend
from tests.waiting import until

ASKED = {"prompt": "a fox", "backend": "shop"}


async def shop(site: Site, backend: PaidBackend) -> PaidBackend:
    site.easel.registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=backend))
    await site.easel.registry.refresh("shop")
    return backend


async def paid(site: Site, count: int) -> list[Any]:
    """Return the charges once so many are settled."""
    database = site.easel.database

    async def are_settled() -> bool:
        return len(await database.fetch("SELECT 1 FROM charges WHERE state = 'paid'")) == count

    await until(are_settled)
    return await database.fetch("SELECT * FROM charges")


async def test_an_estimate_names_the_price_the_agreement_and_the_budget(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="0.1", CONFIRM_ABOVE_USD="0.05") as site:
        await shop(site, PaidBackend("shop"))
        single = (await site.client.post("/api/estimate", json=ASKED)).json()
        assert (single["price"], single["cost_usd"], single["asks_first"], single["refused"]) == (
            "$0.04",
            0.04,
            False,
            None,
        )
        two = (await site.client.post("/api/estimate", json=ASKED | {"batch_size": 2})).json()
        assert (two["cost_usd"], two["asks_first"], two["refused"]) == (0.08, True, None)
        three = (await site.client.post("/api/estimate", json=ASKED | {"batch_size": 3})).json()
        assert three["refused"].startswith("Daily budget exceeded: you have used $0.00 of $0.10")
        assert await site.easel.jobs.active() == []


async def test_an_estimate_is_for_all_that_a_line_asks_for(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="0.25", CONFIRM_ABOVE_USD="0.1") as site:
        await shop(site, PaidBackend("shop"))
        asked = {"text": "a {red, blue} fox --repeat 2 --backend shop"}
        four = (await site.client.post("/api/estimate", json=asked)).json()
        assert (four["price"], four["cost_usd"], four["asks_first"], four["refused"]) == ("$0.16", 0.16, True, None)
        seven = (await site.client.post("/api/estimate", json={"text": "a fox --repeat 7 --backend shop"})).json()
        assert seven["refused"].startswith("Daily budget exceeded")
        assert "about $0.28" in seven["refused"]


async def test_an_estimate_adds_up_what_a_line_asks_of_several_engines(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="0.25", CONFIRM_ABOVE_USD="0.1") as site:
        await shop(site, PaidBackend("shop"))
        asked = {"text": "a {red, blue} fox --repeat 2 --backend {sketch, shop}"}
        mixed = (await site.client.post("/api/estimate", json=asked)).json()
        assert (mixed["price"], mixed["cost_usd"], mixed["asks_first"], mixed["refused"]) == ("$0.16", 0.16, True, None)
        assert "shop" in mixed["engine"]
        refused = await site.client.post("/api/jobs", json=asked)
        assert (refused.status_code, refused.json()["cost_usd"]) == (402, pytest.approx(0.16))


async def test_what_goes_on_from_a_job_has_its_prices(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        assert (await site.client.get("/api/session")).json()["has_paid_engines"] is False
        free = await site.draw(prompt="a fox")
        await shop(site, PaidBackend("shop"))
        assert (await site.client.get("/api/session")).json()["has_paid_engines"] is True
        assert (await site.client.get(f"/api/jobs/{free['id']}/prices")).json() == {
            "again": None, "vary": None, "zoom": None, "upscale": None, "engines": {"shop": 0.04},
        }  # fmt: skip
        dear = await site.draw(**ASKED)
        assert (await site.client.get(f"/api/jobs/{dear['id']}/prices")).json() == {
            "again": 0.04, "vary": 0.04, "zoom": 0.04, "upscale": 0.04, "engines": {},
        }  # fmt: skip


async def test_a_budget_that_is_short_is_429_with_what_is_free(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="0.01") as site:
        backend = await shop(site, PaidBackend("shop"))
        answer = await site.client.post("/api/jobs", json=ASKED)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (429, "budget_exceeded")
        assert 0 < int(answer.headers["Retry-After"]) <= 86400
        assert [(offer["backend"], offer["cost_usd"]) for offer in body["offers"]] == [("sketch", 0.0)]
        assert "Within the budget: " in body["hint"]
        own = await site.client.post("/api/images/generate", json={"prompt": "a fox", "provider": "shop"})
        assert (own.status_code, own.json()["error"][:21]) == (429, "Daily budget exceeded")
        assert backend.requests == []
        free = await site.client.post("/api/jobs", json=ASKED | {"backend": body["offers"][0]["backend"]})
        assert free.status_code == 202


async def test_a_price_is_agreed_to_and_holds_no_dearer(tmp_path: Path) -> None:
    async with site_at(tmp_path, CONFIRM_ABOVE_USD="0.03") as site:
        backend = await shop(site, PaidBackend("shop"))
        asked = await site.client.post("/api/jobs", json=ASKED)
        assert (asked.status_code, asked.json()["code"], asked.json()["cost_usd"]) == (402, "price_not_agreed", 0.04)
        assert asked.json()["hint"] == "Send it again with max_cost_usd."
        agreed = await site.client.post("/api/jobs", json=ASKED | {"max_cost_usd": 0.04})
        assert agreed.status_code == 202
        job_id = agreed.json()["jobs"][0]["id"]
        backend.usd = 0.05
        again = await site.client.post(f"/api/jobs/{job_id}/again", json={"max_cost_usd": 0.04})
        assert (again.status_code, again.json()["error"]) == (
            402, "This costs about $0.05, more than the $0.04 that were agreed to.",
        )  # fmt: skip


async def test_a_price_that_nobody_asked_to_confirm_is_a_limit_all_the_same(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        backend = await shop(site, PaidBackend("shop"))
        asked = await site.client.post("/api/jobs", json=ASKED | {"max_cost_usd": 0.01})
        assert asked.status_code == 402
        assert backend.requests == []


async def test_the_books_are_your_own_or_everybodys_for_an_admin(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="1") as site:
        await shop(site, PaidBackend("shop", costs=0.05))
        await site.draw(**ASKED)
        rows = await paid(site, 1)
        assert [row["state"] for row in rows] == ["paid"]
        mine = (await site.client.get("/api/costs")).json()
        (entry,) = mine["costs"]
        assert (entry["engine"], entry["images"], entry["jobs"], entry["cost_usd"]) == ("shop", 1, 1, 0.05)
        assert (mine["spent_usd"], mine["reserved_usd"]) == (0.05, 0)
        (budget,) = mine["budgets"]
        assert (budget["scope"], budget["used_usd"], budget["left_usd"]) == ("person", 0.05, pytest.approx(0.95))
        assert (await site.client.get("/api/costs", params={"whose": "all"})).json()["spent_usd"] == 0.05
        other = await site.key_client("read")
        assert (await other.get("/api/costs")).json()["costs"] == []
        refused = await other.get("/api/costs", params={"whose": "all"})
        assert (refused.status_code, refused.json()["error"]) == (403, "Only admins may see what others spent.")


async def test_metrics_count_what_was_charged_reserved_and_given_back(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        backend = await shop(site, PaidBackend("shop", hold=True))
        jobs = (
            await site.client.post("/api/jobs", json=ASKED | {"text": "a fox --repeat 3"} | {"prompt": None})
        ).json()
        await until(lambda: backend.running == 1)
        await site.client.post(f"/api/jobs/{jobs['jobs'][2]['id']}/cancel")
        text = (await site.client.get("/metrics")).text
        assert "easel_reserved_usd 0.08" in text
        assert "easel_refunded_usd_total 0.04" in text
        backend.release(2)
        await paid(site, 2)
        text = (await site.client.get("/metrics")).text
        assert "easel_charged_usd_total 0.08" in text
        assert "easel_reserved_usd 0.0" in text
        assert "easel_rented_usd_total 0.0" in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/images/generate", {"prompt": "a fox", "provider": "shop"}),
        ("/api/images/variations", {"prompt": "a fox", "provider": "shop", "imageUrl": "PICTURE"}),
        ("/api/images/edit", {"prompt": "a fox", "provider": "shop", "editType": "img2img", "imageUrl": "PICTURE"}),
        ("/api/images/upscale", {"provider": "shop", "imageUrl": "PICTURE"}),
        ("/v1/images/generations", {"prompt": "a fox", "model": "shop"}),
        ("/api/batches", {"prompts": ["a fox --backend shop"]}),
        ("/api/comparisons", {"prompt": "a fox", "engines": ["shop", "sketch"]}),
    ],
)
async def test_no_route_draws_for_more_than_was_agreed_to(tmp_path: Path, path: str, body: dict[str, Any]) -> None:
    async with site_at(tmp_path, CONFIRM_ABOVE_USD="0.03") as site:
        backend = await shop(site, PaidBackend("shop"))
        picture = data_url(png(64, 64))
        body = {name: picture if value == "PICTURE" else value for name, value in body.items()}
        unasked = await site.client.post(path, json=body)
        dear = await site.client.post(path, json=body | {"max_cost_usd": 0.01})
        for answer in (unasked, dear):
            error = answer.json()
            error = error if isinstance(error["error"], str) else error["error"]
            assert (answer.status_code, error["code"], error["cost_usd"]) == (402, "price_not_agreed", 0.04), (
                answer.text
            )
        assert backend.requests == []
        assert (await site.client.post(path, json=body | {"max_cost_usd": 0.04})).is_success
        assert len(await paid(site, 1)) == 1


async def test_a_form_of_the_openai_dialect_has_a_limit_of_cost_too(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        backend = await shop(site, PaidBackend("shop"))
        files = {"image": ("a.png", png(64, 64), "image/png")}
        fields = {"prompt": "a fox", "model": "shop"}
        refused = await site.client.post("/v1/images/edits", files=files, data=fields | {"max_cost_usd": "0.01"})
        assert (refused.status_code, refused.json()["error"]["cost_usd"]) == (402, 0.04)
        assert backend.requests == []
        assert (await site.client.post("/v1/images/edits", files=files, data=fields | {"max_cost_usd": "1"})).is_success


async def test_openais_clients_read_of_a_budget_as_of_a_quota(tmp_path: Path) -> None:
    async with site_at(tmp_path, USER_DAILY_BUDGET_USD="0.01") as site:
        await shop(site, PaidBackend("shop"))
        answer = await site.client.post("/v1/images/generations", json={"prompt": "a fox", "model": "shop"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (429, "insufficient_quota")
        assert [offer["backend"] for offer in error["offers"]] == ["sketch"]
        free = await site.client.post("/v1/images/generations", json={"prompt": "a fox", "model": "sketch"})
        assert free.status_code == 200


async def test_answers_of_the_text_engine_are_in_the_books_and_their_price_is_known_before(tmp_path: Path) -> None:
    async with (
        AnthropicServer() as text,
        site_at(tmp_path, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=text.url, USER_DAILY_BUDGET_USD="0.3") as site,
    ):
        shown = (await site.client.get("/api/session")).json()["text"]
        assert shown["model"] == "claude-haiku-5-5"
        assert 0 < shown["enhance_usd"] < shown["describe_usd"] < 0.001
        limited = await site.client.post("/api/enhance", json={"prompt": "a fox", "max_cost_usd": 0.0001})
        assert limited.json()["source"] == "rules"
        assert "that were agreed to" in limited.json()["notes"][0]
        assert text.asked == []
        assert (await site.client.post("/api/enhance", json={"prompt": "a fox"})).json()["source"] == "claude-haiku-5-5"
        (entry,) = (await site.client.get("/api/costs")).json()["costs"]
        assert (entry["engine"], entry["answers"], entry["images"]) == ("claude-haiku-5-5", 1, 0)
        assert entry["cost_usd"] == pytest.approx(0.2)
        assert "easel_charged_usd_total 0.2" in (await site.client.get("/metrics")).text
        await site.easel.services.money.budgets.note(
            Charge(job_id="x", user_key=entry["user"], guild_id="", lane="shop", payer="easel", usd=0.1),
            Origin(door="console", user_id="local"),
        )
        spent = (await site.client.post("/api/enhance", json={"prompt": "a hare"})).json()
        assert (spent["source"], spent["notes"][0][:21]) == ("rules", "Daily budget exceeded")
        assert len(text.asked) == 1
