"""The studio's members have the rules of the server at home; keys and this machine are the owner's."""

import pytest

from generation.house import SexualContent
from generation.person import Person
from tests.api.conftest import site_at

CHIEF = Person(user_key="discord:1", guild_id="3", is_manager=True)
NUDE = {"prompt": "nude woman, explicit", "width": 64, "height": 64, "steps": 4}


@pytest.fixture
def house(site):
    site.easel.services.moderation.homes.joined(["3"])
    return site.easel.services.house.rules


async def test_who_signed_in_with_discord_has_the_rules_of_the_server_at_home(site, house):
    mia = await site.session_client("discord:7")
    refused = await mia.post("/api/jobs", json=NUDE)
    assert (refused.status_code, refused.json()["code"]) == (403, "house_rule")
    assert "“nude”" in refused.json()["error"]
    await house.change(CHIEF, words=("dragon",), sexual_content=SexualContent.ANYWHERE)
    assert (await mia.post("/api/jobs", json=NUDE)).status_code == 202
    refused = await mia.post("/api/jobs", json=NUDE | {"prompt": "a dragon"})
    assert refused.json()["hint"] == "Use other words."
    key = await site.key_client("generate", user_key="discord:7")
    assert (await key.post("/api/jobs", json=NUDE | {"prompt": "a dragon"})).status_code == 403
    await house.change(CHIEF, holds_elsewhere=False)
    assert (await mia.post("/api/jobs", json=NUDE | {"prompt": "a dragon"})).status_code == 202


async def test_a_picture_that_is_drawn_from_another_is_judged_by_its_words_and_those_it_goes_on_with(site, house):
    mia = await site.session_client("discord:7")
    job = await site.draw(mia)
    for change in ({"prompt": "a nude fox lady"}, {"negative_prompt": "clothes"}):
        refused = await mia.post(f"/api/jobs/{job['id']}/again", json={"changes": change})
        assert (refused.status_code, refused.json()["code"]) == (403, "house_rule"), refused.text


async def test_keys_of_the_owner_and_this_machine_have_no_server(site, house):
    await house.change(CHIEF, words=("dragon",), roles=("9",))
    owner = await site.key_client("generate")
    for client in (owner, site.client):
        assert (await client.post("/api/jobs", json=NUDE | {"prompt": "a dragon"})).status_code == 202
        refused = await client.post("/api/jobs", json=NUDE | {"prompt": "a nude toddler"})
        assert refused.json()["code"] == "house_rule"


async def test_refusals_are_counted_by_rule(site, house):
    mia = await site.session_client("discord:7")
    for _ in range(2):
        assert (await mia.post("/api/jobs", json=NUDE)).status_code == 403
    assert 'easel_house_refusals_total{rule="sexual_content"} 2.0' in (await site.client.get("/metrics")).text


async def test_the_owner_sets_how_long_a_prompt_may_be(tmp_path):
    async with site_at(tmp_path, MAX_PROMPT_LENGTH="60") as site:
        refused = await site.client.post("/api/jobs", json={"prompt": "x" * 61})
        assert (refused.status_code, refused.json()["field"]) == (400, "prompt")
        assert "at most 60 are allowed" in refused.json()["error"]
