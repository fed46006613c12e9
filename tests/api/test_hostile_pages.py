"""Without tokens against cross-site requests: what a browser says of the page that asks counts for every change."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from api.caller import SAFE_METHODS
from api.dialects import ROUTERS as DIALECTS
from api.origins import is_from_a_browser, is_own_page
from api.routes import ROUTERS
from tests.api.conftest import HERE, site_at
from tests.api.test_who_may_what import NEVER, address

NAME = "easel.example.org"
EASEL = f"https://{NAME}"
# what is sent, PUBLIC_URL, the request's own scheme, whether the page is the studio's
PAGES: dict[str, tuple[dict[str, str], str, str, bool]] = {
    "ours": ({"origin": EASEL, "host": NAME}, "", "https", True),
    "ours behind a proxy that ends TLS": ({"origin": EASEL, "host": NAME}, "", "http", True),
    "ours behind a proxy that writes another host": ({"origin": EASEL, "host": "10.0.0.5:8484"}, EASEL, "http", True),
    "ours behind such a proxy, and no PUBLIC_URL": ({"origin": EASEL, "host": "10.0.0.5:8484"}, "", "http", False),
    "ours, with a path in PUBLIC_URL": ({"origin": EASEL, "host": "x"}, f"{EASEL}/easel", "http", True),
    "ours, with a slash in PUBLIC_URL": ({"origin": EASEL, "host": "x"}, f"{EASEL}/", "http", True),
    "ours, with the usual port in PUBLIC_URL": ({"origin": EASEL, "host": "x"}, f"{EASEL}:443", "http", True),
    "ours, with PUBLIC_URL in upper case": ({"origin": EASEL, "host": "x"}, "HTTPS://Easel.Example.ORG", "http", True),
    "ours, with the usual port in Host": ({"origin": EASEL, "host": "easel.example.org:443"}, "", "https", True),
    "ours in upper case": ({"origin": "https://EASEL.example.org", "host": "easel.EXAMPLE.org"}, "", "https", True),
    "ours, an international name": (
        {"origin": "https://xn--mller-kva.example", "host": "x"}, "https://Müller.example", "http", True),
    "ours, a name that is longer in older rules": (
        {"origin": "https://xn--fa-hia.example", "host": "x"}, "https://faß.example", "http", True),
    "ours on this machine beside PUBLIC_URL": ({"origin": HERE, "host": "127.0.0.1"}, EASEL, "http", True),
    "ours by IPv6": ({"origin": "http://[::1]:8484", "host": "[::1]:8484"}, "", "http", True),
    "ours, the browser's word alone": ({"sec-fetch-site": "same-origin", "host": "x"}, "", "http", True),
    "no page": ({"host": "x"}, "", "http", True),
    "null": ({"origin": "null", "host": "null"}, "", "http", False),
    "null, of the same site": ({"origin": "null", "sec-fetch-site": "same-origin", "host": "x"}, "", "http", False),
    "a sibling of our name": ({"origin": "https://blog.example.org", "host": NAME}, EASEL, "https", False),
    "a sibling, the browser's word alone": ({"sec-fetch-site": "same-site", "host": NAME}, "", "http", False),
    "another site, the browser's word alone": ({"sec-fetch-site": "cross-site", "host": "x"}, "", "http", False),
    "a word that browsers do not know": ({"sec-fetch-site": "Same-Origin", "host": "x"}, "", "http", False),
    "our name, the browser knows better": (
        {"origin": EASEL, "sec-fetch-site": "cross-site", "host": "x"}, EASEL, "http", False),
    "a child of our name": ({"origin": "https://a.easel.example.org", "host": NAME}, EASEL, "https", False),
    "a parent of our name": ({"origin": "https://example.org", "host": NAME}, EASEL, "https", False),
    "a name that begins like ours": ({"origin": f"{EASEL}.evil.example", "host": NAME}, EASEL, "http", False),
    "a name that ends like ours": (
        {"origin": "https://evileasel.example.org", "host": NAME}, EASEL, "http", False),
    "another port": ({"origin": f"{EASEL}:8443", "host": NAME}, EASEL, "https", False),
    "another port of this machine": ({"origin": "http://127.0.0.1:9", "host": "127.0.0.1:8484"}, "", "http", False),
    "no port": ({"origin": f"{EASEL}:0", "host": NAME}, EASEL, "http", False),
    "another scheme than PUBLIC_URL's": (
        {"origin": "http://easel.example.org", "host": NAME}, EASEL, "http", False),
    "another scheme than the request's": (
        {"origin": "http://easel.example.org", "host": NAME}, "", "https", False),
    "a scheme of no web page": ({"origin": "file://easel.example.org", "host": NAME}, "", "http", False),
    "an extension": ({"origin": "chrome-extension://abcdef", "host": "abcdef"}, "", "http", False),
    "a dot at the end": ({"origin": f"{EASEL}.", "host": NAME}, EASEL, "http", False),
    "a dot at the end of Host": ({"origin": EASEL, "host": "easel.example.org."}, "", "http", False),
    "a name that looks like ours": (
        {"origin": "https://xn--esel-63d.example.org", "host": NAME}, EASEL, "http", False),
    "letters that no browser sends": (
        {"origin": "https://müller.example", "host": "x"}, "https://müller.example", "http", False),
    "a name before @": ({"origin": f"{EASEL}@evil.example", "host": NAME}, EASEL, "http", False),
    "a path": ({"origin": f"{EASEL}/x", "host": NAME}, EASEL, "http", False),
    "two in one": ({"origin": f"{EASEL} https://evil.example", "host": NAME}, EASEL, "http", False),
    "what is no address": ({"origin": "https://[", "host": "["}, "", "http", False),
    "an empty name": ({"origin": "https://", "host": ""}, "", "http", False),
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_ours_or_another_sites(page: str) -> None:
    sent, public_url, scheme, is_ours = PAGES[page]
    assert is_own_page(Headers(sent), scheme=scheme, public_url=public_url) is is_ours


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
def test_a_header_that_comes_twice_is_no_browsers(name: str) -> None:
    values = {"origin": EASEL.encode(), "sec-fetch-site": b"same-origin"}
    raw = [(name.encode(), values[name]), (name.encode(), b"https://evil.example"), (b"host", b"easel.example.org")]
    assert not is_own_page(Headers(raw=raw), scheme="https", public_url=EASEL)


def test_a_program_is_told_from_a_browser_by_its_headers() -> None:
    assert not is_from_a_browser(Headers({"host": "x"}))
    assert not is_from_a_browser(Headers({"sec-fetch-site": "none"})), "no page sends a change from the address bar"
    assert is_from_a_browser(Headers({"origin": EASEL}))
    assert is_from_a_browser(Headers({"sec-fetch-site": "same-origin"}))


CHANGES = sorted(
    (method, route.path)
    for router in (*ROUTERS, *DIALECTS)
    for route in router.routes
    for method in route.methods
    if method not in SAFE_METHODS
)
EVIL: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another site in an old browser": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a sibling of our name": {"Origin": "https://blog.example.org", "Sec-Fetch-Site": "same-site"},
    "our page without TLS": {"Origin": "http://easel.example.org"},
    "no browser at all": {},
}
SIMPLE: dict[str, dict[str, Any]] = {  # what a page may send elsewhere without asking first
    "a form": {"data": {"prompt": "a fox"}},
    "a form with files": {"files": {"file": ("x.png", b"x")}, "data": {"prompt": "a fox"}},
    "JSON as plain text": {"content": '{"prompt": "a fox", "name": "x"}', "headers": {"Content-Type": "text/plain"}},
    "nothing": {},
}


@pytest.mark.parametrize("way", ["session", "link"])
async def test_no_route_changes_anything_by_a_cookie_for_another_sites_page(tmp_path, way):
    async with site_at(tmp_path, PUBLIC_URL=EASEL, WEB_ADMINS="7") as site:
        _, cookie = await site.web.access.open_session("discord:7", "Mia")
        link = site.web.access.sign_in_link("discord:7", "Mia", 600.0)
        cookies = {"easel_session": cookie} if way == "session" else {"easel_link": link}
        browser = site.visitor(cookies=cookies, base_url=EASEL)
        for method, path in CHANGES:
            for page, headers in EVIL.items():
                answer = await browser.request(method, address(path, **NEVER), headers=headers, json={})
                is_outsider = path == "/webhooks/replicate" and not headers  # a program, which signs what it sends
                assert answer.status_code == (404 if is_outsider else 403), (method, path, page)
                assert "set-cookie" not in answer.headers, (method, path, page)
        assert (await browser.get("/api/jobs")).status_code == 200


@pytest.mark.parametrize("kind", SIMPLE)
@pytest.mark.parametrize("path", ["/api/jobs", "/v1/images/generations", "/generate/text2img", "/api/keys"])
async def test_what_a_page_may_send_anywhere_changes_nothing(site, path, kind):
    _, cookie = await site.web.access.open_session("discord:7", "Mia")
    clients = [site.visitor(cookies={"easel_session": cookie}), site.visitor(near=True)]
    for client in clients:
        for page in ("another site", "a sandboxed frame", "a sibling of our name"):
            sent = SIMPLE[kind] | {"headers": EVIL[page] | SIMPLE[kind].get("headers", {})}
            assert (await client.post(path, **sent)).status_code == 403, page
    assert (await site.client.get("/api/jobs")).json()["jobs"] == []
    assert await site.web.access.list_keys() == []


async def test_a_key_needs_no_page(site):
    program = await site.key_client("read", "generate")
    assert (await program.post("/api/collections", json={"name": "x"})).status_code == 201
    answer = await program.post("/api/collections", json={"name": "y"}, headers={"Sec-Fetch-Site": "none"})
    assert answer.status_code == 201


async def test_whoever_sits_here_needs_no_page(site):
    assert (await site.client.post("/api/collections", json={"name": "x"})).status_code == 201


async def test_the_session_carries_no_token(site):
    mia = await site.session_client("discord:7")
    reported = await mia.get("/api/session")
    assert "csrf" not in reported.text.casefold()
    assert reported.json()["user"]["id"] == "discord:7"
    assert "csrf" not in (await site.client.get("/openapi.json")).text.casefold()


async def test_an_international_public_url_is_a_name_of_this_server(tmp_path):
    async with site_at(tmp_path, PUBLIC_URL="https://Müller.example") as site:
        mia = await site.session_client("discord:7")
        page = {"Host": "xn--mller-kva.example", "Origin": "https://xn--mller-kva.example"}
        assert (await mia.post("/api/collections", json={"name": "x"}, headers=page)).status_code == 201
