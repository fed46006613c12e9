"""Each way in from each kind of page: what needs no key at the studio itself needs one on every other site's page."""

import httpx
import pytest

from tests.api.conftest import HERE, Site, site_at

APP = "https://app.example.org"  # in WEB_ORIGINS
NEXT_DOOR = "http://127.0.0.1:3000"  # in WEB_ORIGINS too: another port of this machine, which cookies do not tell apart
OWN_PAGES: dict[str, dict[str, str]] = {
    "a program": {},
    "the studio": {"Origin": HERE, "Sec-Fetch-Site": "same-origin"},
    "the studio in an old browser": {"Origin": HERE},
    "the studio, reading": {"Sec-Fetch-Site": "same-origin"},
    "the address bar": {"Sec-Fetch-Site": "none"},
}
OTHER_PAGES: dict[str, dict[str, str]] = {
    "a page of WEB_ORIGINS": {"Origin": APP, "Sec-Fetch-Site": "cross-site"},
    "a page of WEB_ORIGINS in an old browser": {"Origin": APP},
    "a page of WEB_ORIGINS on this machine": {"Origin": NEXT_DOOR, "Sec-Fetch-Site": "same-site"},
    "a foreign page": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "a foreign page in an old browser": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "a picture or link on another site": {"Sec-Fetch-Site": "cross-site"},
    "a picture or link on a neighbour's site": {"Sec-Fetch-Site": "same-site"},
    "after a redirect of another site": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a name that only begins like ours": {"Origin": HERE + ".evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:9"},
}
PAGES = OWN_PAGES | OTHER_PAGES
WAYS = ("loopback", "session", "link", "key")
READS = ("/api/session", "/api/jobs", "/api/gallery", "/api/keys", "/metrics")


@pytest.fixture
async def open_site(tmp_path):
    async with site_at(tmp_path, WEB_ORIGINS=f"{APP},{NEXT_DOOR}") as site:
        yield site


async def caller_by(way: str, site: Site) -> httpx.AsyncClient:
    """Somebody with every right that this way in can give."""
    access = site.web.access
    if way == "key":
        return await site.key_client("read", "generate", "admin")
    if way == "session":
        return await site.session_client("discord:7")
    if way == "link":
        link = access.sign_in_link("discord:7", "Mia", 600.0)
        return site.visitor(cookies={"easel_link": link}, headers={"Origin": HERE})
    return site.visitor(near=True)


@pytest.mark.parametrize("way", WAYS)
async def test_only_a_key_lets_another_sites_page_in(open_site, way):
    client = await caller_by(way, open_site)
    for page, headers in PAGES.items():
        is_in = way == "key" or page in OWN_PAGES
        for path in READS:
            status = (await client.get(path, headers=headers)).status_code
            if is_in:
                assert status in (200, 403), (way, page, path)  # 403: this person is no admin
            else:
                assert status == 401, (way, page, path)


@pytest.mark.parametrize("way", WAYS)
async def test_another_sites_page_changes_nothing_without_a_key(open_site, way):
    client = await caller_by(way, open_site)
    for number, (page, headers) in enumerate(PAGES.items()):
        is_listed = headers.get("Origin") in (APP, NEXT_DOOR)
        answer = await client.post("/api/collections", json={"name": f"album {number}"}, headers=headers)
        is_in = page in OWN_PAGES or (way == "key" and is_listed)
        refused = (401,) if is_listed else (403,)
        assert answer.status_code in ((201,) if is_in else refused), (way, page)


@pytest.mark.parametrize("way", ["loopback", "session", "link"])
async def test_no_page_elsewhere_makes_itself_an_admin_key(open_site, way):
    client = await caller_by(way, open_site)
    for page, headers in OTHER_PAGES.items():
        answer = await client.post("/api/keys", json={"name": "mine", "scopes": ["admin"]}, headers=headers)
        assert answer.status_code in (401, 403), page
    assert await open_site.web.access.list_keys() == []


async def test_a_listed_page_gets_in_with_its_key_and_is_told_so(open_site):
    program = await open_site.key_client("read")
    answer = await program.get("/api/jobs", headers=OTHER_PAGES["a page of WEB_ORIGINS"])
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, APP)
    keyless = await open_site.visitor(near=True).get("/api/jobs", headers={"Origin": APP})
    assert (keyless.status_code, keyless.json()["code"]) == (401, "sign_in")
    assert "esl_" in keyless.json()["hint"]


@pytest.mark.parametrize("way", ["session", "link"])
async def test_no_page_elsewhere_signs_anybody_out(open_site, way):
    client = await caller_by(way, open_site)
    for page, headers in OTHER_PAGES.items():
        answer = await client.post("/auth/logout", headers=headers)
        assert answer.status_code == 403, page
        assert "set-cookie" not in answer.headers, page
    assert (await client.get("/api/jobs")).status_code == 200


async def test_a_private_picture_is_not_shown_in_another_sites_page(open_site):
    job = await open_site.draw(is_private=True)
    bare = job["images"][0]["url"].partition("?")[0]
    assert (await open_site.client.get(bare)).status_code == 200
    for page, headers in OTHER_PAGES.items():
        assert (await open_site.client.get(bare, headers=headers)).status_code == 404, page


async def test_a_stream_of_events_is_not_opened_from_another_sites_page(open_site):
    for page, headers in OTHER_PAGES.items():
        answer = await open_site.visitor(near=True).get("/events", headers=headers)
        assert answer.status_code == 401, page


async def test_a_page_at_the_public_address_is_our_own(tmp_path):
    async with site_at(tmp_path, PUBLIC_URL="https://easel.example.org") as site:
        browser = await site.session_client("discord:7")
        headers = {"Origin": "https://easel.example.org", "Host": "127.0.0.1:8484"}  # as a proxy may write it
        assert (await browser.post("/api/collections", json={"name": "x"}, headers=headers)).status_code == 201
        headers["Origin"] = "https://easel.example.org.evil.example"
        assert (await browser.post("/api/collections", json={"name": "y"}, headers=headers)).status_code == 403
