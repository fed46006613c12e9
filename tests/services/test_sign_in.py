"""Sign in with Discord against a stand-in of its three endpoints: who is a member comes in, once, in time."""

import base64
import json
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from generation.errors import BackendUnavailable, GenerationError, NotAllowed, RequestRejected
from net.reply import Reply
from services.people import sign_in
from services.people.sign_in import STATE_S, SignInService
from settings.people import PeopleSettings

API = "https://discord.example/api/v10"
CALLBACK = "https://easel.example/auth/callback"


class Discord:
    """Gives a token for the one code it handed out, and tells the bearer's name and servers."""

    def __init__(self) -> None:
        self.user = {"id": "7", "username": "ada", "global_name": "Ada", "avatar": "f00", "extra": 1}
        self.guilds = [{"id": "100", "name": "art"}, {"id": "200", "name": "else"}]
        self.challenge = ""
        self.asked: list[str] = []
        self.instead: dict[str, Reply] = {}

    def visit(self, url: str) -> dict[str, str]:
        """Do what a browser does at Discord; return the query of the callback."""
        reply = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.challenge = reply["code_challenge"]
        assert reply["redirect_uri"] == CALLBACK
        assert (reply["response_type"], reply["scope"], reply["client_id"]) == ("code", "identify guilds", "1001")
        assert reply["code_challenge_method"] == "S256"
        return {"code": "code1", "state": reply["state"]}

    async def __call__(self, method, url, policy, *, form=None, headers=None) -> Reply:
        path = url.removeprefix(API)
        self.asked.append(f"{method} {path}")
        if path in self.instead:
            return self.instead[path]
        if path == "/oauth2/token":
            return self._token(form)
        if headers != {"Authorization": "Bearer tok1"}:
            return Reply(status=401, body=b'{"message": "401: Unauthorized"}')
        return _json({"/users/@me": self.user, "/users/@me/guilds": self.guilds}[path])

    def _token(self, form) -> Reply:
        hashed = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if (form["client_id"], form["client_secret"]) != ("1001", "s3cret"):
            return _json({"error": "invalid_client"}, 401)
        if (form["code"], form["redirect_uri"], hashed) != ("code1", CALLBACK, self.challenge):
            return _json({"error": "invalid_grant", "error_description": "Invalid code"}, 400)
        return _json({"access_token": "tok1", "token_type": "Bearer", "expires_in": 604800})


def _json(value, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode())


@pytest.fixture
def discord():
    return Discord()


@pytest.fixture
def service_of(discord, clock):
    def make(**values) -> SignInService:
        people = {"client_id": "1001", "client_secret": "s3cret", "guild_ids": {"100"}} | values
        return SignInService(ask=discord, settings=PeopleSettings(**people), api_url=API, clock=clock)

    return make


async def sign_in_at(service: SignInService, discord: Discord, **values):
    begun = service.begin(CALLBACK, **values)
    return await service.finish(**discord.visit(begun.url), cookie=begun.state)


async def test_a_member_comes_in_by_name(service_of, discord):
    person = await sign_in_at(service_of(), discord, then="/studio?job=1")
    assert (person.user_key, person.name, person.then) == ("discord:7", "Ada", "/studio?job=1")
    assert discord.asked == ["POST /oauth2/token", "GET /users/@me", "GET /users/@me/guilds"]


async def test_who_has_no_display_name_comes_in_too(service_of, discord):
    discord.user |= {"global_name": None}
    person = await sign_in_at(service_of(), discord)
    assert person.name == "ada"


@pytest.mark.parametrize("guilds", [(), ("300",)])
async def test_others_stay_outside_but_admins_never_do(service_of, discord, guilds):
    with pytest.raises(NotAllowed):
        await sign_in_at(service_of(guild_ids=guilds), discord)
    assert (await sign_in_at(service_of(guild_ids=guilds, admin_ids={"7"}), discord)).user_key == "discord:7"


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\nb"])
async def test_afterwards_people_stay_with_us(service_of, discord, then):
    assert (await sign_in_at(service_of(), discord, then=then)).then == "/"


async def test_a_state_is_good_once_in_time_and_in_one_browser(service_of, discord, clock):
    service = service_of()
    begun = service.begin(CALLBACK)
    back = discord.visit(begun.url)
    await service.finish(**back, cookie=begun.state)
    with pytest.raises(RequestRejected, match="used already"):
        await service.finish(**back, cookie=begun.state)
    other = service.begin(CALLBACK)
    with pytest.raises(RequestRejected):
        await service.finish(**discord.visit(other.url), cookie="")
    late = service.begin(CALLBACK)
    await clock.advance(STATE_S)
    with pytest.raises(RequestRejected):
        await service.finish(**discord.visit(late.url), cookie=late.state)


async def test_a_code_of_another_sign_in_is_refused(service_of, discord):
    service = service_of()
    begun, other = service.begin(CALLBACK), service.begin(CALLBACK)
    discord.visit(other.url)
    with pytest.raises(RequestRejected, match="expired"):
        await service.finish("code1", begun.state, cookie=begun.state)


async def test_a_wrong_secret_is_the_owners_to_mend(service_of, discord, caplog):
    with pytest.raises(GenerationError, match="not set up right"):
        await sign_in_at(service_of(client_secret="hush"), discord)
    assert "DISCORD_CLIENT_SECRET" in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.parametrize("path", ["/oauth2/token", "/users/@me", "/users/@me/guilds"])
@pytest.mark.parametrize("answer", [Reply(status=503, body=b""), Reply(status=200, body=b'{"access_token": 5}')])
async def test_a_discord_that_is_ill_is_tried_again_later(service_of, discord, path, answer):
    discord.instead = {path: answer}
    with pytest.raises(BackendUnavailable, match="try again"):
        await sign_in_at(service_of(), discord)


async def test_who_begins_thousands_pushes_nobody_out(service_of, discord):
    service = service_of()
    begun = service.begin(CALLBACK)
    back = discord.visit(begun.url)
    for _ in range(1001):
        service.begin(CALLBACK)
    assert (await service.finish(**back, cookie=begun.state)).user_key == "discord:7"


async def test_a_sign_in_outlives_a_restart(service_of, discord):
    begun = service_of().begin(CALLBACK)
    assert (await service_of().finish(**discord.visit(begun.url), cookie=begun.state)).user_key == "discord:7"


async def test_a_cookie_says_nothing_and_cannot_be_made_up(service_of, discord):
    begun = service_of().begin(CALLBACK, then="/somewhere")
    back = discord.visit(begun.url)
    assert back["state"] not in begun.state
    assert "somewhere" not in base64.urlsafe_b64decode(begun.state + "==").decode("latin-1")
    for wrong in (
        "",
        "x",
        begun.state[:-8],
        begun.state[:40] + "AAAA" + begun.state[44:],
        "ü",
        "\ud800",
        back["state"],
    ):
        with pytest.raises(RequestRejected):
            await service_of().finish(**back, cookie=wrong)
    with pytest.raises(RequestRejected):  # sealed by an Easel with another secret
        await service_of(client_secret="other").finish(**back, cookie=begun.state)
    for wrong in ("", "ü", "x" * 2000):
        with pytest.raises(RequestRejected):
            await service_of().finish(back["code"], wrong, cookie=begun.state)


async def test_what_was_used_takes_bounded_memory(service_of, discord, monkeypatch):
    monkeypatch.setattr(sign_in, "MOST_USED", 4)
    service = service_of()
    for _ in range(20):
        await sign_in_at(service, discord)
    assert len(service._used) == 4


async def test_a_cookie_fits_a_browser_whatever_is_wanted_afterwards(service_of):
    assert len(service_of().begin("https://easel.example.org/auth/callback", then="/" + "狐" * 499).state) < 3800


def test_it_is_there_only_when_it_is_set_up(service_of):
    assert service_of().is_available
    assert not service_of(client_secret="").is_available
