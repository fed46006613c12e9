"""Ways in: signing in with Discord, links from a chat, signing out. Cookies are strict; nobody is sent elsewhere."""

from urllib.parse import urlsplit

import pytest

from generation.job import Origin
from generation.request import Draft
from services.people.sign_in import SignInService
from settings.people import PeopleSettings
from tests.api.conftest import site_at
from tests.services.test_sign_in import Discord

PUBLIC = "https://easel.example"
SET_UP = {"DISCORD_CLIENT_ID": "1", "DISCORD_CLIENT_SECRET": "s3cret", "PUBLIC_URL": PUBLIC}
DRAFT, MIAS = Draft(prompt="a fox", width=64, height=64), Origin(door="discord", user_id="7", user_name="Mia")


@pytest.fixture
async def public(tmp_path):
    """Easel behind its public address, with a stand-in for Discord."""
    async with site_at(tmp_path, **SET_UP) as site:
        site.discord = Discord()
        own = SignInService(
            settings=PeopleSettings(client_id="1001", client_secret="s3cret", guild_ids={"100"}),
            api_url="https://discord.example/api/v10",
            clock=site.web.services.clock,
            ask=site.discord,
        )
        object.__setattr__(site.web.own, "sign_in", own)
        yield site


def cookie(answer, name):
    """Return what an answer sets, as its attributes in small letters."""
    (line,) = [item for item in answer.headers.get_list("set-cookie") if item.startswith(f"{name}=")]
    value, *attributes = line.split("; ")
    return value.partition("=")[2], {item.casefold() for item in attributes}


async def test_signing_in_opens_a_session_with_strict_cookies(public):
    browser = public.visitor(base_url=PUBLIC)
    begun = await browser.get("/auth/login", params={"then": "/#/gallery"})
    assert begun.status_code == 303
    assert {"httponly", "secure", "samesite=lax", "path=/"} < cookie(begun, "easel_sign_in")[1]
    back = await browser.get("/auth/callback", params=public.discord.visit(begun.headers["location"]))
    assert (back.status_code, back.headers["location"]) == (303, "/#/gallery")
    assert {"httponly", "secure", "samesite=lax", "path=/"} < cookie(back, "easel_session")[1]
    session = (await browser.get("/api/session")).json()
    assert (session["user"]["name"], session["user"]["how"]) == ("Ada", "session")
    assert (await browser.post("/auth/logout")).status_code == 403
    assert (await browser.post("/auth/logout", headers={"Origin": PUBLIC})).status_code == 204
    refused = await browser.get("/api/session")
    assert (refused.status_code, refused.json()["sign_in_url"]) == (401, "/auth/login")


async def test_a_sign_in_of_another_browser_is_refused(public):
    begun = await public.visitor(base_url=PUBLIC).get("/auth/login")
    answer = await public.visitor(base_url=PUBLIC).get(
        "/auth/callback", params=public.discord.visit(begun.headers["location"])
    )
    assert answer.status_code == 400
    assert "Sign in again" in answer.text
    assert not [item for item in answer.headers.get_list("set-cookie") if "session" in item]


async def test_who_is_no_member_stays_out(public):
    public.discord.guilds = []
    browser = public.visitor(base_url=PUBLIC)
    begun = await browser.get("/auth/login")
    answer = await browser.get("/auth/callback", params=public.discord.visit(begun.headers["location"]))
    assert (answer.status_code, "none of the Discord servers" in answer.text) == (403, True)


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_nobody_is_sent_elsewhere_after_signing_in(public, then):
    browser = public.visitor(base_url=PUBLIC)
    begun = await browser.get("/auth/login", params={"then": then})
    back = await browser.get("/auth/callback", params=public.discord.visit(begun.headers["location"]))
    assert back.headers["location"] == "/"


async def test_what_discord_says_is_shown_as_text(public):
    answer = await public.visitor(base_url=PUBLIC).get("/auth/callback", params={"error": "<script>x</script>"})
    assert answer.status_code == 400
    assert "<script>" not in answer.text


async def test_where_signing_in_is_not_set_up_a_page_says_so(client):
    answer = await client.get("/auth/login")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "not set up" in answer.text


async def test_a_link_from_a_chat_lets_in_and_opens_its_job(public):
    job = await public.web.services.generation.submit(DRAFT, MIAS)
    link = urlsplit(public.web.own.studio.link("discord:8", "Ben", job.job.id))
    browser = public.visitor(base_url=PUBLIC)
    answer = await browser.get(f"/open?{link.query}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/#/job/{job.job.id}")
    for name in ("easel_link", "easel_job"):
        assert {"httponly", "secure", "samesite=lax", "path=/"} < cookie(answer, name)[1]
    session = (await browser.get("/api/session")).json()
    assert (session["user"]["name"], session["user"]["is_admin"], session["open_job"]) == ("Ben", False, job.job.id)
    assert (await browser.post("/auth/logout", headers={"Origin": PUBLIC})).status_code == 204
    assert (await browser.get("/api/session")).status_code == 401


@pytest.mark.parametrize("token", ["", "1.x.y", "x", "99999999999.x.eA", "ü.ü.ü"])
async def test_a_link_that_is_stale_or_forged_gets_a_friendly_page(client, token):
    answer = await client.get("/open", params={"t": token, "job": "x~y"})
    assert (answer.status_code, "expired" in answer.text) == (410, True)
    assert "set-cookie" not in answer.headers


async def test_a_visitor_by_link_is_never_an_admin(tmp_path):
    async with site_at(tmp_path, TRUSTED_PROXIES="10.0.0.1", WEB_ADMINS="8") as site:
        query = urlsplit(site.web.own.studio.link("discord:8", "Boss")).query
        browser = site.visitor()
        await browser.get(f"/open?{query}")
        assert (await browser.get("/api/session")).json()["user"]["is_admin"] is False
        assert (await browser.get("/api/keys")).status_code == 403
