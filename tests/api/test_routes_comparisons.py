"""One prompt on several engines: asked for, looked at again, cancelled."""

import pytest

from tests.api.conftest import add_second_sketch, held, site_at

SMALL = {"width": 64, "height": 64, "steps": 2}
BOTH = SMALL | {"engines": ["sketch", "other"]}


@pytest.fixture
def client(site):
    add_second_sketch(site)
    return site.client


async def compare(client, headers=None, **reply):
    answer = await client.post("/api/comparisons", json=BOTH | reply, headers=headers or {})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_each_engine_draws_the_same_with_the_same_seed_and_it_can_be_looked_at_again(site, client):
    asked = await compare(client, text="a fox --seed 7")
    assert (asked["prompt"], asked["seed"]) == ("a fox", 7)
    assert [(item["lane"], item["error"]) for item in asked["contenders"]] == [("sketch", ""), ("other", "")]
    jobs = [await site.ended(item["job"]["id"]) for item in asked["contenders"]]
    again = (await client.get(f"/api/comparisons/{asked['id']}")).json()
    assert [item["job"] for item in again["contenders"]] == jobs
    assert {job["request"]["seed"] for job in jobs} == {7}
    assert {job["status"] for job in jobs} == {"done"}


async def test_the_text_may_name_the_engines(client):
    asked = await compare(client, text="a fox --engines sketch,other", engines=[])
    assert [item["lane"] for item in asked["contenders"]] == ["sketch", "other"]
    assert asked["prompt"] == "a fox"


@pytest.mark.parametrize(
    ("reply", "status", "field"),
    [
        ({"engines": ["sketch"]}, 400, "engines"),
        ({"engines": ["sketch", "toaster"]}, 400, "engines"),
        ({"engines": ["a"] * 21}, 422, "engines"),
        ({"backend": "sketch"}, 400, "backend"),
        ({"prompt": ""}, 400, "prompt"),
        ({"init_image": "never"}, 400, "init_image"),
    ],
)
async def test_what_cannot_be_compared_is_refused_by_its_field(client, reply, status, field):
    answer = await client.post("/api/comparisons", json=BOTH | {"prompt": "a fox"} | reply)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.text


async def test_the_same_key_makes_no_second_comparison_and_no_other_request(client):
    key = {"Idempotency-Key": "one"}
    first, again = [await compare(client, key, prompt="a fox") for _ in range(2)]
    assert first["id"] == again["id"]
    assert len((await client.get("/api/jobs")).json()["jobs"]) == 2
    other = await client.post("/api/comparisons", json=BOTH | {"prompt": "a heron"}, headers=key)
    assert (other.status_code, other.json()["field"]) == (400, "Idempotency-Key")


async def test_what_still_waits_is_cancelled_and_what_is_there_stays(site, client):
    with held(site):
        asked = await compare(client, prompt="a fox")
        await client.post(f"/api/comparisons/{asked['id']}/cancel")
        for contender in asked["contenders"]:
            await site.ended(contender["job"]["id"])
    cancelled = (await client.get(f"/api/comparisons/{asked['id']}")).json()
    assert [item["job"]["status"] for item in cancelled["contenders"]] == ["cancelled"] * 2
    again = await client.post(f"/api/comparisons/{asked['id']}/cancel")
    assert again.json() == cancelled


async def test_one_that_is_not_there_says_so(client):
    for answer in (await client.get("/api/comparisons/never"), await client.post("/api/comparisons/never/cancel")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_comparison_is_let_in_whole_or_not_at_all(tmp_path):
    async with site_at(tmp_path, MAX_QUEUE_SIZE="1") as site:
        add_second_sketch(site)
        with held(site):
            answer = await site.client.post("/api/comparisons", json=BOTH | {"prompt": "a fox"})
            assert (answer.status_code, answer.json()["code"]) == (429, "limit_reached")
            assert (await site.client.get("/api/jobs")).json()["jobs"] == []
