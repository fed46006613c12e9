"""People's things, by every way another person comes to them: seen, changed, or answered as if it had never been.

A row for each route that names something; one without a row fails. The lists are searched for what is private.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from generation.job import Origin
from generation.request import Draft
from services.drawing.generation import JobView
from tests.api.conftest import Site, add_second_sketch, site_at
from tests.api.test_who_may_what import NEVER, ROUTES, address, key_of, link_of, session_of
from tests.backends import products
from tests.net.servers import serve
from utils.text import cut

SECRET = "words for nobody else"
OPEN = "words for everybody"
IN, NOT_THERE, REFUSED = "let in", "as if it were not there", "may look, not change"

# (of another person's) thing made in the open: what others and an admin get
RULES: dict[str, tuple[str, str]] = {
    "GET /api/jobs/{job_id}": (IN, IN),
    "GET /api/jobs/{job_id}/preview": (IN, IN),
    "POST /api/jobs/{job_id}/up": (REFUSED, IN),
    "POST /api/jobs/{job_id}/again": (IN, IN),
    "GET /api/jobs/{job_id}/finish": (IN, IN),
    "GET /api/jobs/{job_id}/prices": (IN, IN),
    "POST /api/jobs/{job_id}/finish": (IN, IN),
    "POST /api/jobs/{job_id}/cancel": (REFUSED, IN),
    "GET /api/comparisons/{comparison_id}": (IN, IN),
    "POST /api/comparisons/{comparison_id}/cancel": (REFUSED, IN),
    "GET /jobs/{job_id}": (IN, IN),
    "POST /jobs/{job_id}/cancel": (REFUSED, IN),
    "GET /api/media/{media_id}": (IN, IN),
    "GET /api/gallery/{picture_id}": (IN, IN),
    "PUT /api/favorites/{picture_id}": (IN, IN),
    "DELETE /api/favorites/{picture_id}": (IN, IN),
    "PUT /api/collections/{collection_id}/pictures/{picture_id}": (NOT_THERE, NOT_THERE),
    "DELETE /api/collections/{collection_id}/pictures/{picture_id}": (NOT_THERE, NOT_THERE),
    "PATCH /api/collections/{collection_id}": (NOT_THERE, NOT_THERE),
    "DELETE /api/collections/{collection_id}": (NOT_THERE, NOT_THERE),
    "POST /api/templates/{template_id}/use": (NOT_THERE, NOT_THERE),
    "DELETE /api/templates/{template_id}": (NOT_THERE, NOT_THERE),
    "POST /api/engines/{name}/test": (NOT_THERE, NOT_THERE),
    "DELETE /api/engines/{name}": (NOT_THERE, NOT_THERE),
    "DELETE /api/gallery/{picture_id}": (REFUSED, IN),
    "DELETE /api/jobs/{job_id}": (REFUSED, IN),
}
NO_OWNER = {  # shared by all, an admin's, or (workflows) looked at by tests/api/test_routes_workflows.py
    "GET /v1/models/{name:path}", "GET /static/{name:path}", "DELETE /api/styles/{style_id}",
    "DELETE /api/keys/{key_id}", "GET /api/models/{name}", "DELETE /api/models/{name}",
    "POST /api/models/{name}/fetch", "DELETE /api/models/{name}/fetch",
    *(f"{method} /api/workflows/{{name}}" for method in ("GET", "PUT", "PATCH", "DELETE")),
}  # fmt: skip
BODIES = {"PATCH": {"name": "mine"}, "POST": {}}


@dataclass
class House:
    """An owner's things: a job in the open, a private one, one of a Discord channel, a collection, words, an engine."""

    site: Site
    owner: httpx.AsyncClient
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)  # that may be read nowhere else


@pytest.fixture
async def house(tmp_path):
    async with site_at(tmp_path, WEB_ADMINS="1") as site, serve(products.a1111()) as port:
        house = House(site, await session_of(site, "discord:7"))
        own = {"collection_id": (await made(house, "/api/collections", name=SECRET))["id"]}
        own["template_id"] = (await made(house, "/api/templates", name=SECRET, text=SECRET))["id"]
        local = site.client  # only who sits here may name an address of this machine
        add_second_sketch(site)
        engine = await local.post("/api/engines", json={"kind": "forge", "url": f"http://127.0.0.1:{port}"})
        for name, prompt, private in (("open", OPEN, False), ("private", SECRET, True)):
            job = await site.draw(house.owner, prompt=prompt, is_private=private, backend="sketch")
            picture = job["images"][0]["id"]
            house.ids[name] = own | {"job_id": job["id"], "picture_id": picture, "media_id": picture}
            house.ids[name]["name"] = engine.json()["name"]
            house.ids[name]["comparison_id"] = await compared(house, prompt=prompt, is_private=private)
        channel = Origin(door="discord", user_id="7", user_name="Mia", guild_id="1", channel_id="2")
        in_channel = await drawn(site, small(f"{SECRET} in a channel"), channel)
        house.texts = [SECRET, house.ids["private"]["job_id"], house.ids["private"]["media_id"], in_channel.job.id]
        yield house


def small(prompt: str) -> Draft:
    return Draft(prompt=prompt, width=64, height=64, steps=4, backend="sketch")


async def drawn(site: Site, draft: Draft, origin: Origin) -> JobView:
    view = await site.web.services.generation.submit(draft, origin)
    async with asyncio.timeout(20):
        async for now in site.web.services.generation.watch(view.job.id):
            if now.job.is_terminal:
                return now
    raise AssertionError


async def made(house: House, path: str, **body: Any) -> dict[str, Any]:
    answer = await house.owner.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def compared(house: House, **reply: Any) -> str:
    body = {"width": 64, "height": 64, "steps": 4, "engines": ["sketch", "other"], **reply}
    answer = await house.owner.post("/api/comparisons", json=body)
    assert answer.status_code == 202, answer.text
    for contender in answer.json()["contenders"]:
        await house.site.ended(contender["job"]["id"], house.owner)
    return answer.json()["id"]


STRANGERS = {
    "another session": lambda site: session_of(site, "discord:8"),
    "another person's key": lambda site: key_of(site, "read", "generate"),
    "another person by link": lambda site: link_of(site, user_key="discord:8"),
    "an admin": lambda site: session_of(site, "discord:1"),
    "an admin's key": lambda site: key_of(site, "admin"),
}


async def ask(client: httpx.AsyncClient, route: str, ids: dict[str, str]) -> tuple[int, str]:
    """Ask, and return the status and the words, with the ids taken out of them."""
    method, _, path = route.partition(" ")
    answer = await client.request(method, address(path, **ids), json=BODIES.get(method))
    words = answer.text if answer.headers.get("content-type", "").startswith("application/json") else ""
    for value in sorted({*ids.values(), *NEVER.values()}, key=len, reverse=True):
        words = words.replace(value, "…").replace(cut(value, 30), "…")
    return answer.status_code, words


def test_every_route_that_names_something_has_its_row() -> None:
    assert {route for route in ROUTES if "{" in route} == {*RULES, *NO_OWNER}


@pytest.mark.parametrize("who", STRANGERS)
async def test_what_is_private_is_as_if_it_were_not_there(house: House, who: str) -> None:
    client = await STRANGERS[who](house.site)
    for route in RULES:
        names = [name for name in NEVER if f"{{{name}}}" in route]
        private = {name: house.ids["private"][name] for name in names}
        assert await ask(client, route, private) == await ask(client, route, {}), route
    shown = await house.owner.get(f"/api/jobs/{house.ids['private']['job_id']}")
    assert (shown.status_code, shown.json()["status"], shown.json()["images"][0]["is_gone"]) == (200, "done", False)


@pytest.mark.parametrize("who", STRANGERS)
async def test_what_is_open_is_seen_and_changed_by_its_owner_and_admins(house: House, who: str) -> None:
    client = await STRANGERS[who](house.site)
    for route, (others, admins) in RULES.items():
        expected = admins if "admin" in who else others
        given = await ask(client, route, house.ids["open"])
        if expected == NOT_THERE:
            never = {"picture_id": house.ids["open"]["picture_id"]}  # that one may be known
            assert given == await ask(client, route, never), (route, given)
        elif expected == REFUSED:
            assert given[0] == 403, (route, given)
        else:
            assert given[0] not in (401, 403), (route, given)
            assert given[0] != 404 or "no preview" in given[1], (route, given)


@pytest.mark.parametrize("who", ["another session", "another person's key", "another person by link"])
async def test_no_list_tells_of_what_is_private_or_of_another_place(house: House, who: str) -> None:
    client = await STRANGERS[who](house.site)
    house.site.web.hub.close()  # the stream of events ends with its first ones
    seen = ""
    for route, needs in ROUTES.items():
        method, _, path = route.partition(" ")
        if method != "GET" or "{" in path or needs not in ("read", "watch"):
            continue
        for query in ("", "?scope=all", "?scope=active", "?scope=all&q=words", "?userId=7", "?userId=discord:7"):
            text = (await client.get(path + query)).text
            assert not [secret for secret in house.texts if secret in text], (path, query)
            seen += text
    assert OPEN in seen


@pytest.mark.parametrize("who", ["an admin", "an admin's key"])
async def test_no_list_tells_an_admin_what_is_private(house: House, who: str) -> None:
    client = await STRANGERS[who](house.site)
    for path in ("/api/feed", "/api/jobs?scope=all", "/api/gallery?scope=all", "/api/images/history?userId=discord:7"):
        text = (await client.get(path)).text
        assert house.ids["private"]["job_id"] not in text, path
        assert house.ids["private"]["media_id"] not in text, path
        assert OPEN in text, path


async def test_nobody_but_the_bearer_of_its_link_fetches_a_private_picture(house: House) -> None:
    job = (await house.owner.get(f"/api/jobs/{house.ids['private']['job_id']}")).json()
    link, bare = job["images"][0]["url"], job["images"][0]["url"].partition("?")[0]
    nobody = house.site.visitor()
    assert [(await nobody.get(path)).status_code for path in (link, bare, bare + "?t=1.x")] == [200, 404, 404]
    assert (await nobody.get(bare)).text == (await nobody.get(f"/api/media/{NEVER['media_id']}")).text


async def test_what_is_asked_for_in_the_open_is_not_answered_with_a_private_picture(site):
    mia, ann = await site.session_client("discord:1", "Mia"), await site.session_client("discord:2", "Ann")
    hidden = await site.draw(mia, prompt="a fox", is_private=True)
    shown = await site.draw(mia, prompt="a fox")
    assert shown["images"][0]["id"] != hidden["images"][0]["id"]
    assert (await ann.get(shown["images"][0]["url"])).status_code == 200
    again = await site.draw(mia, prompt="a fox", is_private=True)
    assert again["images"][0]["id"] == shown["images"][0]["id"], "the other way round it may be"
