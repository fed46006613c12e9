"""Every route of the HTTP door by every kind of stranger: who is let in, and what of other people's is there for them.

`ROUTES` has a row for each route of the application; a new one without a row fails. What is not for somebody has to be
answered word for word like what never was.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.dialects import ROUTERS as DIALECTS
from api.routes import ROUTERS
from tests.api.conftest import HERE, Site, site_at

PAGE = "https://app.example.org"  # in WEB_ORIGINS
SECRET = "words for nobody else"
NEVER = {"job_id": "0123456789ab", "comparison_id": "0123456789ab", "picture_id": "a1" * 16, "media_id": "b2" * 16,
         "collection_id": "c3" * 8, "template_id": "d4" * 8, "name": "never", "style_id": "nobodys",
         "key_id": "e5" * 4}  # fmt: skip

# METHOD and path: what it takes to be let in. "open": nothing; "link": the id of a picture, see `test_whose_is_what`;
# "signed": a signature of the sender's; "known": to be anybody; "watch": a key that reads, or an admin; else a scope.
ROUTES = {
    "GET /": "open", "HEAD /": "open", "GET /docs": "open", "HEAD /docs": "open", "GET /admin": "open",
    "GET /static/{name:path}": "open", "GET /healthz": "open", "HEAD /healthz": "open", "GET /readyz": "open",
    "HEAD /readyz": "open", "GET /openapi.json": "open", "GET /auth/login": "open", "GET /auth/callback": "open",
    "POST /auth/logout": "open", "GET /open": "open", "POST /webhooks/replicate": "signed",
    "GET /api/media/{media_id}": "link", "GET /api/session": "known",
    "GET /api/options": "read", "GET /api/jobs": "read", "GET /api/feed": "read", "GET /api/jobs/{job_id}": "read",
    "GET /api/jobs/{job_id}/preview": "read", "POST /api/parse": "read", "POST /api/estimate": "read",
    "POST /api/recall": "read", "GET /api/gallery": "read", "GET /api/gallery/{picture_id}": "read",
    "GET /api/facets": "read", "GET /api/collections": "read", "POST /api/archive": "read",
    "GET /api/templates": "read", "POST /api/templates/{template_id}/use": "read", "GET /api/styles": "read",
    "GET /api/engines": "read", "GET /api/kinds": "read", "GET /api/workflows": "read",
    "GET /api/workflows/{name}": "read", "GET /api/dashboard": "read", "GET /api/costs": "read",
    "GET /metrics": "watch", "GET /events": "read",
    "GET /jobs": "read", "GET /jobs/{job_id}": "read", "GET /queue/status": "read", "GET /models": "read",
    "POST /api/images/enhance-prompt": "read", "GET /api/images/history": "read", "GET /api/images/providers": "read",
    "GET /api/images/health": "read", "GET /v1/model-info": "read", "GET /v1/models": "read",
    "GET /v1/models/{name:path}": "read", "POST /mcp": "read",
    "POST /api/jobs": "generate", "POST /api/jobs/{job_id}/up": "generate",
    "POST /api/jobs/{job_id}/cancel": "generate", "POST /api/jobs/{job_id}/again": "generate",
    "GET /api/jobs/{job_id}/finish": "read", "GET /api/jobs/{job_id}/prices": "read",
    "POST /api/jobs/{job_id}/finish": "generate",
    "DELETE /api/jobs/{job_id}": "generate",
    "POST /api/comparisons": "generate", "GET /api/comparisons/{comparison_id}": "read",
    "POST /api/comparisons/{comparison_id}/cancel": "generate",
    "POST /api/batches": "generate", "POST /api/uploads": "generate", "POST /api/describe": "generate",
    "POST /api/enhance": "read",
    "DELETE /api/gallery/{picture_id}": "generate", "PUT /api/favorites/{picture_id}": "generate",
    "DELETE /api/favorites/{picture_id}": "generate", "POST /api/collections": "generate",
    "PATCH /api/collections/{collection_id}": "generate", "DELETE /api/collections/{collection_id}": "generate",
    "PUT /api/collections/{collection_id}/pictures/{picture_id}": "generate",
    "DELETE /api/collections/{collection_id}/pictures/{picture_id}": "generate", "POST /api/templates": "generate",
    "DELETE /api/templates/{template_id}": "generate", "POST /api/engines": "generate",
    "POST /api/engines/refresh": "generate", "DELETE /api/engines/{name}": "generate",
    "POST /api/engines/{name}/test": "generate", "POST /api/workflows/analyse": "generate",
    "PUT /api/workflows/{name}": "generate", "PATCH /api/workflows/{name}": "generate",
    "DELETE /api/workflows/{name}": "generate", "POST /api/me/forget": "generate",
    "POST /generate/text2img": "generate", "POST /generate/img2img": "generate", "POST /generate/inpaint": "generate",
    "POST /generate/style-transfer": "generate", "POST /jobs/{job_id}/cancel": "generate",
    "POST /api/images/generate": "generate", "POST /api/images/edit": "generate",
    "POST /api/images/variations": "generate", "POST /api/images/upscale": "generate",
    "POST /api/images/analyze": "generate", "POST /v1/generate-image": "generate", "POST /v1/load-model": "generate",
    "POST /v1/images/generations": "generate", "POST /v1/images/edits": "generate",
    "POST /v1/images/variations": "generate",
    "POST /api/styles": "admin", "DELETE /api/styles/{style_id}": "admin", "GET /api/keys": "admin",
    "GET /api/models": "admin", "GET /api/models/{name}": "admin", "POST /api/models/{name}/fetch": "admin",
    "DELETE /api/models/{name}/fetch": "admin", "DELETE /api/models/{name}": "admin",
    "POST /api/keys": "admin", "DELETE /api/keys/{key_id}": "admin", "GET /api/backup": "admin",
    "POST /api/reload": "admin",
}  # fmt: skip
ALL = frozenset({"read", "generate", "admin"})
GATED = [route for route, needs in ROUTES.items() if needs in ("known", "watch", *ALL)]


@dataclass(frozen=True)
class Stranger:
    """A way to come. `scopes` is None where nobody known comes; `refusal` what they are told then."""

    make: Callable[[Site], Awaitable[httpx.AsyncClient]]
    scopes: frozenset[str] | None = None
    writes: bool = True  # else a change is refused, whatever the scopes
    refusal: tuple[int, ...] = (401,)


async def key_of(site: Site, *scopes: str, ended: str = "") -> httpx.AsyncClient:
    clock = site.web.services.clock
    expires = clock.now() + timedelta(seconds=60) if ended == "expired" else None
    key, token = await site.web.access.create_key("k", scopes, expires=expires)
    if ended == "revoked":
        await site.web.access.revoke_key(key.id)
    if ended == "expired":
        past = (clock.now() - timedelta(seconds=1)).timestamp()
        await site.easel.database.write("UPDATE api_keys SET expires_at = ? WHERE id = ?", (past, key.id))
    return site.visitor(headers={"Authorization": f"Bearer {token}"})


async def session_of(site: Site, user_key: str = "discord:7", *, has_page: bool = True, ended: bool = False) -> Any:
    _, cookie = await site.web.access.open_session(user_key, "Mia")
    if ended:
        await site.web.access.close_session(cookie)
    return site.visitor(cookies={"easel_session": cookie}, headers={"Origin": HERE} if has_page else {})


async def link_of(site: Site, *, user_key: str = "discord:7", age_s: float = 0.0) -> httpx.AsyncClient:
    link = site.web.access.sign_in_link(user_key, "Mia", 600.0 - age_s)
    return site.visitor(cookies={"easel_link": link}, headers={"Origin": HERE})


async def at_home(site: Site, **headers: str) -> httpx.AsyncClient:
    return site.visitor(near=True, headers=headers)


DRAWS = frozenset({"read", "generate"})
STRANGERS = {
    "nobody, from elsewhere": Stranger(lambda site: at_far(site)),
    "whoever sits at this machine": Stranger(at_home, ALL),
    "at this machine through a proxy": Stranger(lambda site: at_home(site, **{"X-Forwarded-For": "127.0.0.1"})),
    "another site's page at this machine": Stranger(lambda site: at_home(site, Origin=PAGE)),
    "a foreign page at this machine": Stranger(
        lambda site: at_home(site, **{"Sec-Fetch-Site": "cross-site"}), refusal=(401, 403)
    ),
    "a wrong key": Stranger(lambda site: at_far(site, Authorization="Bearer esl_wrong"), refusal=(401, 429)),
    "a wrong key at this machine": Stranger(
        lambda site: at_home(site, Authorization="Bearer esl_wrong"), refusal=(401, 429)
    ),
    "a revoked key": Stranger(lambda site: key_of(site, *ALL, ended="revoked"), refusal=(401, 429)),
    "an expired key": Stranger(lambda site: key_of(site, *ALL, ended="expired"), refusal=(401, 429)),
    "a key that reads": Stranger(lambda site: key_of(site, "read"), frozenset({"read"})),
    "a key that draws and may not look": Stranger(lambda site: key_of(site, "generate"), frozenset({"generate"})),
    "a key that draws": Stranger(lambda site: key_of(site, *DRAWS), DRAWS),
    "an admin's key": Stranger(lambda site: key_of(site, "admin"), ALL),
    "a session": Stranger(session_of, DRAWS),
    "a session that no browser speaks for": Stranger(
        lambda site: session_of(site, has_page=False), DRAWS, writes=False
    ),
    "an admin's session": Stranger(lambda site: session_of(site, "discord:1"), ALL),
    "a session that has ended": Stranger(lambda site: session_of(site, ended=True)),
    "a visitor by link": Stranger(link_of, DRAWS),
    "a link that has expired": Stranger(lambda site: link_of(site, age_s=601.0)),
}


async def at_far(site: Site, **headers: str) -> httpx.AsyncClient:
    return site.visitor(headers=headers)


@pytest.fixture
async def place(tmp_path):
    async with site_at(tmp_path, WEB_ORIGINS=PAGE, WEB_ADMINS="1") as site:
        yield site


def address(path: str, **ids: str) -> str:
    for name, value in (NEVER | ids).items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
    return path


def test_every_route_has_its_row(place: Site) -> None:
    routes = [route for router in (*ROUTERS, *DIALECTS) for route in router.routes]
    routes += [route for route in place.app.routes if hasattr(route, "methods")]
    there = {f"{method} {route.path}" for route in routes for method in route.methods}
    assert there - {"HEAD /static/{name:path}"} == set(ROUTES)


def has_what_it_needs(who: str, scopes: frozenset[str], needs: str) -> bool:
    if needs == "watch":
        return "admin" in scopes or ("read" in scopes and "key" in who)
    return needs == "known" or needs in scopes


@pytest.mark.parametrize("who", STRANGERS)
async def test_who_is_let_in(place: Site, who: str) -> None:
    stranger = STRANGERS[who]
    client = await stranger.make(place)
    place.web.hub.close()  # streams of events end at once
    for route in GATED:
        method, _, path = route.partition(" ")
        needs = ROUTES[route]
        answer = await client.request(method, address(path), json={} if method in ("POST", "PUT", "PATCH") else None)
        if stranger.scopes is None:
            assert answer.status_code in stranger.refusal, (route, answer.text)
        elif not has_what_it_needs(who, stranger.scopes, needs) or (method != "GET" and not stranger.writes):
            assert (answer.status_code, answer.json().get("code", "not_allowed")) == (403, "not_allowed"), route
        else:
            is_links_limit = who == "a visitor by link" and "engines" in path  # links get shared
            assert answer.status_code not in (401, 403, 429, 500) or is_links_limit, (route, answer.text)


async def test_what_is_open_needs_nobody(place: Site) -> None:
    stranger = place.visitor()
    for route in (route for route, needs in ROUTES.items() if needs == "open"):
        method, _, path = route.partition(" ")
        assert (await stranger.request(method, address(path))).status_code not in (401, 403, 500), route
    assert (await stranger.post("/webhooks/replicate", json={})).status_code in (401, 403, 404)
