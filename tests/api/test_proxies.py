"""Behind a proxy: whose address counts, which name and scheme, and that nobody is taken for the one at this machine."""

from typing import Any

import httpx
import pytest

from config import read_settings
from services.people.access import GUESSES
from settings.reading.problems import SettingsError
from tests.api.conftest import HERE, Site, site_at

PUBLIC = "https://easel.example.org"
WRONG = {"Authorization": "Bearer esl_wrong"}
SETTINGS = {"PUBLIC_URL": PUBLIC, "TRUSTED_PROXIES": "127.0.0.1,10.1.0.0/16"}


def asking_from(site: Site, address: str, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(site.app, client=(address, 50000))
    client = httpx.AsyncClient(transport=transport, base_url=HERE, **options)
    site.clients.append(client)
    return client


async def guess(client: httpx.AsyncClient, **headers: str) -> int:
    """Send wrong keys until it must be too many; return the last status."""
    answers = [await client.get("/api/session", headers=WRONG | headers) for _ in range(GUESSES + 1)]
    return answers[-1].status_code


@pytest.mark.parametrize("setting", SETTINGS)
async def test_each_caller_behind_our_proxy_has_an_address_of_their_own(tmp_path, setting):
    async with site_at(tmp_path, **{setting: SETTINGS[setting]}) as site:
        proxy = asking_from(site, "127.0.0.1")
        assert await guess(proxy, **{"X-Forwarded-For": "203.0.113.9"}) == 429
        for other in (
            "203.0.113.10",
            "203.0.113.9, 203.0.113.11",
            "2001:db8::1",
            "[2001:db8:1::1]:443",
            "203.0.113.12:80",
        ):
            answer = await proxy.get("/api/session", headers=WRONG | {"X-Forwarded-For": other})
            assert answer.status_code == 401, other
        spoofed = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}  # the first was sent along by the caller
        assert (await proxy.get("/api/session", headers=WRONG | spoofed)).status_code == 429


@pytest.mark.parametrize(
    "header", ["for=203.0.113.9", 'for="203.0.113.9:4711";proto=https', "for=198.51.100.7, For=203.0.113.9;by=10.0.0.1"]
)
async def test_the_standards_own_header_is_understood_as_well(tmp_path, header):
    async with site_at(tmp_path, PUBLIC_URL=PUBLIC) as site:
        proxy = asking_from(site, "127.0.0.1")
        assert await guess(proxy, Forwarded=header) == 429
        again = await proxy.get("/api/session", headers=WRONG | {"X-Forwarded-For": "203.0.113.9"})
        assert again.status_code == 429


@pytest.mark.parametrize(
    ("reply", "peer"),
    [
        ({}, "127.0.0.1"),
        ({}, "203.0.113.1"),
        ({"PUBLIC_URL": PUBLIC}, "203.0.113.1"),
        ({"TRUSTED_PROXIES": SETTINGS["TRUSTED_PROXIES"]}, "10.2.0.1"),
    ],
)
async def test_nobody_elses_word_counts(tmp_path, reply, peer):
    async with site_at(tmp_path, **reply) as site:
        client = asking_from(site, peer)
        answers = [
            await client.get("/api/session", headers=WRONG | {"X-Forwarded-For": f"198.51.100.{number}"})
            for number in range(GUESSES + 1)
        ]
        assert answers[-1].status_code == 429


PROXIED = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": ""},
    {"X-Forwarded-For": "::1", "X-Forwarded-Host": "localhost"},
    {"Forwarded": "for=127.0.0.1;host=localhost"},
    {"X-Forwarded-Host": "127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"X-Client-IP": "127.0.0.1"},
    {"Fastly-Client-IP": "127.0.0.1"},
    {"CDN-Loop": "x"},
    {"Via": "1.1 proxy"},
    {},
]


@pytest.mark.parametrize("setting", SETTINGS)
async def test_nobody_is_at_this_machine_through_a_proxy_whatever_host_they_name(tmp_path, setting):
    async with site_at(tmp_path, **{setting: SETTINGS[setting]}) as site:
        for peer in ("127.0.0.1", "::1"):
            for headers in PROXIED:
                for host in ("127.0.0.1", "localhost:8484", "[::1]"):
                    answer = await asking_from(site, peer).get("/api/keys", headers={"Host": host} | headers)
                    assert answer.status_code == 401, (peer, headers, host)


async def test_without_settings_every_sign_of_a_proxy_makes_a_stranger(tmp_path):
    async with site_at(tmp_path) as site:
        for headers in PROXIED[:-1]:
            assert (await site.client.get("/api/keys", headers=headers)).status_code == 401, headers
        assert (await site.client.get("/api/keys")).status_code == 200


async def test_a_caller_of_http_1_0_is_a_proxy(tmp_path):
    """nginx by default: no header of its own, the host of its target."""
    async with site_at(tmp_path) as site:
        statuses = []

        async def send(message: Any) -> None:
            statuses.append(message.get("status"))

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        for version in ("1.0", "1.1"):
            scope = {"type": "http", "http_version": version, "method": "GET", "path": "/api/keys", "raw_path": b"",
                     "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1),
                     "server": ("127.0.0.1", 80), "scheme": "http", "root_path": ""}  # fmt: skip
            await site.app(scope, receive, send)
        assert [status for status in statuses if status] == [401, 200]


async def test_name_and_scheme_are_those_that_the_caller_used(tmp_path):
    reply = {"TRUSTED_PROXIES": SETTINGS["TRUSTED_PROXIES"], "WEB_HOSTS": "easel.lan", "DISCORD_CLIENT_SECRET": "s"}
    async with site_at(tmp_path, DISCORD_CLIENT_ID="1", **reply) as site:
        proxy = asking_from(site, "10.1.2.3")
        reply = {"Host": "127.0.0.1:8484", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        begun = await proxy.get("/auth/login", headers=reply | {"X-Forwarded-Host": "easel.lan"})
        assert "redirect_uri=https%3A%2F%2Feasel.lan%2Fauth%2Fcallback" in begun.headers["location"]
        assert "secure" in begun.headers["set-cookie"].casefold()
        refused = await proxy.get("/healthz", headers=reply | {"X-Forwarded-Host": "evil.example"})
        assert refused.status_code == 421
        _, cookie = await site.web.access.open_session("discord:7", "Mia")
        browser = asking_from(site, "10.1.2.3", cookies={"easel_session": cookie})
        sent = reply | {"X-Forwarded-Host": "easel.lan", "Origin": "https://easel.lan"}
        assert (await browser.post("/api/collections", json={"name": "x"}, headers=sent)).status_code == 201
        sent["Origin"] = "https://evil.example"
        assert (await browser.post("/api/collections", json={"name": "y"}, headers=sent)).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"])
@pytest.mark.parametrize(
    "value", ["", ",", "x" * 5000, "for=", 'for="', "ü", "unknown", "_hidden", "for=;host=;proto="]
)
async def test_what_cannot_be_read_crashes_nothing(tmp_path, header, value):
    async with site_at(tmp_path, PUBLIC_URL=PUBLIC) as site:
        answer = await asking_from(site, "127.0.0.1").get("/healthz", headers={header: value.encode("latin-1")})
        assert answer.status_code in (200, 421)


def test_the_setting_takes_addresses_and_networks(tmp_path):
    read = read_settings(tmp_path / "none", {"TRUSTED_PROXIES": "10.0.0.5, 172.16.3.4/12,fd00::/8"})
    assert read.web.trusted_proxies == ("10.0.0.5", "172.16.0.0/12", "fd00::/8")
    for wrong in ("proxy.lan", "*", "10.0.0.300", "10.0.0.0/40"):
        with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES.*addresses or networks"):
            read_settings(tmp_path / "none", {"TRUSTED_PROXIES": wrong})
