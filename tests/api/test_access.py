"""Access rights: scopes of keys, other people's private things, visitors by link, cross-site requests."""

import pytest

from tests.api.conftest import HERE, site_at


@pytest.fixture
async def mia(site):
    return await site.session_client("discord:7")


async def by_link(site, user_key="discord:7"):
    link = site.web.access.sign_in_link(user_key, "Mia", 60.0)
    return site.visitor(cookies={"easel_link": link}, headers={"Origin": HERE})


READS = ["/api/jobs", "/api/feed", "/api/gallery", "/api/facets", "/api/collections", "/api/templates", "/api/styles",
         "/api/engines", "/api/kinds", "/api/workflows", "/api/dashboard", "/api/options", "/events"]  # fmt: skip
WRITES = [
    ("POST", "/api/jobs", {"prompt": "a fox"}),
    ("POST", "/api/jobs/beef/cancel", None),
    ("DELETE", "/api/jobs/beef", None),
    ("PUT", "/api/favorites/beef", None),
    ("POST", "/api/collections", {"name": "x"}),
    ("POST", "/api/templates", {"name": "x", "text": "y"}),
    ("POST", "/api/engines", {"kind": "forge", "url": "https://example.com"}),
    ("POST", "/api/uploads", None),
]


async def test_nobody_unknown_reads_anything(site):
    for path in READS:
        answer = await site.visitor().get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in"), path
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_reads_changes_nothing(site):
    reader = await site.key_client("read")
    for method, path, body in WRITES:
        answer = await reader.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (method, path)


async def test_a_key_that_draws_reads_only_if_it_may(site):
    drawer = await site.key_client("generate")
    assert (await drawer.post("/api/jobs", json={"prompt": "a", "width": 64, "height": 64})).status_code == 202
    assert (await drawer.get("/api/jobs")).status_code == 403


async def test_a_private_job_is_its_owners_alone(site, client, mia):
    job = await site.draw(is_private=True)
    own = (await client.get(job["images"][0]["url"])).status_code
    bare = job["images"][0]["url"].partition("?")[0]
    assert own == 200
    for path in (f"/api/jobs/{job['id']}", f"/api/jobs/{job['id']}/preview", bare, f"{bare}?size=64"):
        assert (await mia.get(path)).status_code == 404, path
        assert (await site.visitor().get(path)).status_code in (401, 404), path
    for method, path in (("POST", "cancel"), ("POST", "again"), ("POST", "up"), ("DELETE", "")):
        address = f"/api/jobs/{job['id']}/{path}".rstrip("/")
        answer = await mia.request(method, address, json={} if path == "again" else None)
        assert answer.status_code == 404, address
    assert (await mia.get("/api/feed")).json()["jobs"] == []


async def test_what_an_open_job_was_made_from_is_its_owners_to_know(site, client, mia):
    private = await site.draw(is_private=True)
    made = (await client.post(f"/api/jobs/{private['id']}/again", json={"is_private": False})).json()["jobs"][0]
    shown = await site.ended(made["id"])
    assert (shown["parent_id"], shown["is_private"]) == (private["id"], False)
    seen = [(await mia.get(f"/api/jobs/{made['id']}")).text, (await mia.get("/api/feed")).text]
    assert made["id"] in seen[1]
    assert not any(private["id"] in text for text in seen)


async def test_a_signed_link_shows_a_private_picture_and_no_other(site, client):
    first, second = [(await site.draw(is_private=True, seed=seed))["images"][0] for seed in (1, 2)]
    assert (await site.visitor().get(first["url"])).status_code == 200
    token = first["url"].partition("?")[2]
    assert (await site.visitor().get(f"/api/media/{second['id']}?{token}")).status_code == 404


async def test_others_open_jobs_are_seen_and_not_touched(site, client, mia):
    job = await site.draw()
    assert (await mia.get(f"/api/jobs/{job['id']}")).json()["is_mine"] is False
    assert (await mia.delete(f"/api/jobs/{job['id']}")).status_code == 403
    assert (await mia.post(f"/api/jobs/{job['id']}/cancel")).status_code == 403


async def test_a_change_with_a_sessions_cookie_needs_a_browser_that_names_its_page(site, mia):
    page = mia.headers.pop("Origin")
    assert (await mia.get("/api/jobs")).status_code == 200
    assert (await mia.post("/api/collections", json={"name": "x"})).status_code == 403
    for wrong in ("x", page[:-1], "ü"):
        headers = {"Origin": wrong.encode()}
        assert (await mia.post("/api/collections", json={"name": "x"}, headers=headers)).status_code == 403
    assert (await mia.post("/api/collections", json={"name": "x"}, headers={"Origin": page})).status_code == 201
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert (await mia.post("/api/collections", json={"name": "y"}, headers=headers)).status_code == 201


async def test_a_visitor_by_link_draws_and_is_no_admin(site):
    visitor = await by_link(site)
    assert (await visitor.post("/api/jobs", json={"prompt": "a", "width": 64, "height": 64})).status_code == 202
    assert (await visitor.get("/api/keys")).status_code == 403
    assert (await visitor.post("/api/styles", json={"id": "a", "name": "a", "value": "a"})).status_code == 403
    del visitor.headers["Origin"]
    assert (await visitor.post("/api/jobs", json={"prompt": "a"})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_pages_change_nothing_at_this_machine(client, headers):
    answer = await client.post("/api/jobs", json={"prompt": "a fox"}, headers=headers)
    assert answer.status_code == 403
    assert (await client.get("/api/jobs")).json()["jobs"] == []


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_behind_a_proxy_nobody_is_at_this_machine(client, header):
    assert (await client.get("/api/session", headers={header: "1.2.3.4"})).status_code == 401


async def test_with_a_public_address_a_key_is_needed_at_this_machine_too(tmp_path):
    async with site_at(tmp_path, PUBLIC_URL="https://easel.example") as site:
        assert (await site.client.get("/api/session")).status_code == 401


async def test_a_wrong_key_is_nobody_even_at_this_machine(client):
    answer = await client.get("/api/session", headers={"Authorization": "Bearer esl_wrong"})
    assert answer.status_code == 401


async def test_who_guesses_keys_is_stopped(site):
    guesser = site.visitor(headers={"Authorization": "Bearer esl_guess"})
    statuses = [(await guesser.get("/api/session")).status_code for _ in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


async def test_a_key_has_its_rate(site):
    _, token = await site.web.access.create_key("slow", ["read"], rate_per_minute=2)
    slow = site.visitor(headers={"Authorization": f"Bearer {token}"})
    answers = [await slow.get("/api/jobs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
