"""Drafts over HTTP: what they become is told, one of them is finished, and anything else is refused in words."""

from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities
from generation.request import Mode
from tests.api.conftest import site_at
from tests.paid import PaidBackend

DRAFT = {"prompt": "a red fox", "seed": 10, "width": 1024, "height": 1024, "steps": 30, "draft": True}


async def test_a_draft_is_told_apart_and_one_of_it_is_finished(site, client):
    drafts = await site.draw(**DRAFT)
    assert drafts["is_draft"]
    assert {(image["width"], image["height"]) for image in drafts["images"]} == {(512, 512)}
    offer = (await client.get(f"/api/jobs/{drafts['id']}/finish")).json()
    assert offer == {"width": 1024, "height": 1024, "steps": 30, "is_paid": False, "cost_usd": None}
    made = await client.post(f"/api/jobs/{drafts['id']}/finish", json={"index": 2})
    assert made.status_code == 202, made.text
    final = await site.ended(made.json()["jobs"][0]["id"])
    image = final["images"][0]
    assert (image["width"], image["height"], image["seed"], len(final["images"])) == (1024, 1024, 12, 1)
    assert (final["mode"], final["parent_id"], final["is_draft"]) == ("img2img", drafts["id"], False)


async def test_what_is_no_draft_or_no_picture_of_it_is_refused_in_words(site, client):
    plain = await site.draw()
    assert not plain["is_draft"]
    for answer in (
        await client.get(f"/api/jobs/{plain['id']}/finish"),
        await client.post(f"/api/jobs/{plain['id']}/finish", json={}),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"] == "This picture is no draft, so there is nothing to finish."
    drafts = await site.draw(**DRAFT)
    answer = await client.post(f"/api/jobs/{drafts['id']}/finish", json={"index": 7})
    assert (answer.status_code, answer.json()["error"]) == (400, "There is no such picture in this batch.")


async def test_the_same_key_finishes_once(site, client):
    drafts = await site.draw(**DRAFT)
    path, key = f"/api/jobs/{drafts['id']}/finish", {"Idempotency-Key": "once"}
    ids = {(await client.post(path, json={"index": 1}, headers=key)).json()["jobs"][0]["id"] for _ in range(2)}
    assert len(ids) == 1
    other = await client.post(path, json={"index": 2}, headers=key)
    assert other.status_code == 400


async def test_the_drafts_of_somebody_private_are_not_there_for_others(tmp_path):
    async with site_at(tmp_path) as site:
        mia = await site.session_client("discord:1")
        tom = await site.session_client("discord:2")
        drafts = await site.draw(mia, is_private=True, **DRAFT)
        for answer in (
            await tom.get(f"/api/jobs/{drafts['id']}/finish"),
            await tom.post(f"/api/jobs/{drafts['id']}/finish", json={}),
        ):
            assert answer.status_code == 404
        made = await mia.post(f"/api/jobs/{drafts['id']}/finish", json={})
        assert (await site.ended(made.json()["jobs"][0]["id"], mia))["is_private"], "what is private stays so"


async def test_what_finishing_costs_is_told_and_agreed_to_before_it_is_drawn(tmp_path):
    async with site_at(tmp_path, CONFIRM_ABOVE_USD="0.5") as site:
        can = Capabilities(modes=frozenset(Mode), max_batch=4)
        backend = PaidBackend("shop", usd=0.6, capabilities=can)
        site.easel.registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=backend))
        await site.easel.registry.refresh("shop")
        drafts = await site.draw(**DRAFT, backend="shop", max_cost_usd=9)
        offer = (await site.client.get(f"/api/jobs/{drafts['id']}/finish")).json()
        assert (offer["is_paid"], offer["cost_usd"]) == (True, 0.6)
        finish = f"/api/jobs/{drafts['id']}/finish"
        refused = (await site.client.post(finish, json={})).json()
        assert (refused["code"], refused["cost_usd"]) == ("price_not_agreed", 0.6)
        assert (await site.client.post(finish, json={"max_cost_usd": 0.6})).status_code == 202
