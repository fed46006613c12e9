"""Sign in with Discord: OAuth2 authorization code with state and PKCE, for the scopes `identify` and `guilds`.

Discord is asked who it is and which servers they are in; its token is used for that and forgotten.
Source: discord.com/developers/docs/topics/oauth2, RFC 6749 (code), RFC 7636 (PKCE), RFC 9700 (state of one browser).
"""

import base64
import hmac
import json
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import field
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, TypeAdapter, ValidationError

from generation.errors import BackendUnavailable, GenerationError, NotAllowed, RequestRejected
from lazy import dataclass
from net.outbound import call
from net.reply import Reply
from settings.people import PeopleSettings
from texts.text import _
from utils.clock import Clock
from utils.secrets import TimedTokens
from utils.urls import UrlPolicy

log = logging.getLogger(__name__)

AUTHORIZE_URL: Final = "https://discord.com/oauth2/authorize"  # where browsers go, whatever the API's address is
CALLBACK_PATH: Final = "/auth/callback"  # behind PUBLIC_URL; the owner enters it at Discord
SCOPE: Final = _("identify guilds")
STATE_S: Final = 600.0
MOST_USED: Final = 1000  # forgetting one early does no harm: Discord takes a code once

T = TypeVar("T")
Call = Callable[..., Awaitable[Reply]]


class _Token(BaseModel):
    access_token: str


class _User(BaseModel):
    id: str
    username: str
    global_name: str | None = None


class _Guild(BaseModel):
    id: str


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in that has begun: send the browser to `url`, and give it `state` as a cookie of `STATE_S` seconds.

    The cookie holds all there is to know of it, sealed: nobody can push out other people's by beginning thousands.
    """

    url: str
    state: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A person who came back from Discord and may come in; `then` is the path they wanted."""

    user_key: str
    name: str
    then: str


class _Open(BaseModel):
    """The content of the cookie."""

    state: str
    verifier: str
    redirect_uri: str
    then: str


class SignInService:
    """Two steps: `begin` before Discord, `finish` after it. What lies between is in the browser's cookie."""

    def __init__(
        self,
        *,
        settings: PeopleSettings,
        api_url: str,
        clock: Clock,
        ask: Call = call,
    ) -> None:
        """Args beyond the plain ones.

        settings: members of its servers may come in; of none, only the admins may.
        api_url: of Discord.
        """
        self.use(settings)
        self._api_url = api_url
        self._clock = clock
        self._ask = ask
        self._policy = UrlPolicy(allow_private=True, allow_insecure_http=True)  # the owner set the address
        self._used: OrderedDict[str, None] = OrderedDict()  # states of sign-ins that came back

    def use(self, settings: PeopleSettings) -> None:
        """Let these people in from now on; with another secret, sign-ins that are under way begin again."""
        self._settings = settings
        self._secret = settings.client_secret.get_secret_value()
        seal = hmac.digest(self._secret.encode(), b"easel sign-in that ends", "sha256")
        self._tokens = TimedTokens(seal)

    @property
    def is_available(self) -> bool:
        """Return whether the settings name an application of Discord's."""
        return bool(self._settings.client_id and self._secret)

    def begin(self, redirect_uri: str, *, then: str = "/") -> Begun:
        """Open one sign-in.

        Args:
            redirect_uri: our callback's full address, as it is entered at Discord.
            then: the path of ours where the person goes afterwards.
        """
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        is_ours = then.startswith("/") and not then.startswith(("//", "/\\")) and then.isprintable()
        opened = _Open(
            state=state,
            verifier=verifier,
            redirect_uri=redirect_uri,
            then=then if is_ours else "/",
        )
        cookie = self._tokens.issue(opened.model_dump_json(), STATE_S, self._clock.now())
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return Begun(url=f"{AUTHORIZE_URL}?{urlencode(query)}", state=cookie)

    async def finish(self, code: str, state: str, *, cookie: str) -> SignedIn:
        """Trade the code that Discord sent along for who it is.

        Args:
            code: from the query of the callback.
            state: the same.
            cookie: what `begin` gave to this browser; without it somebody could sign others in as himself.

        Raises:
            RequestRejected: this sign-in was not begun here, has been used, or took too long.
            NotAllowed: the person is in none of the servers.
            BackendUnavailable: Discord does not answer.
            GenerationError: Discord refuses our application.
        """
        opened = self._opened(state, cookie)
        token = await self._token(code, opened)
        user = await self._get("/users/@me", token, _User)
        if user.id not in self._settings.admin_ids and not await self._is_member(token):
            raise NotAllowed(_("You are in none of the Discord servers whose members may use this."))
        return SignedIn(
            user_key=f"discord:{user.id}",
            name=user.global_name or user.username,
            then=opened.then,
        )

    def _opened(self, state: str, cookie: str) -> _Open:
        """Return the sign-in that this browser began; it is used up now.

        Raises:
            RequestRejected: it began none, another one, too long ago, or came back before.
        """
        token = self._tokens.open(cookie, self._clock.now())
        if token is None:
            raise _stale()
        opened = _Open.model_validate_json(token.text)
        if not hmac.compare_digest(state.encode(), opened.state.encode()) or state in self._used:
            raise _stale()
        self._used[state] = None
        while len(self._used) > MOST_USED:
            self._used.popitem(last=False)
        return opened

    async def _is_member(self, token: str) -> bool:
        if not self._settings.guild_ids:
            return False
        guilds = await self._get("/users/@me/guilds", token, list[_Guild])  # all of them: nobody can be in over 200
        return any(guild.id in self._settings.guild_ids for guild in guilds)

    async def _token(self, code: str, opened: _Open) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": opened.redirect_uri,
            "code_verifier": opened.verifier,
            "client_id": self._settings.client_id,
            "client_secret": self._secret,
        }
        answer = await self._ask("POST", f"{self._api_url}/oauth2/token", self._policy, form=form)
        if answer.status == 400 and _word(answer) == "invalid_grant":
            raise _stale()
        if answer.status in (400, 401):
            log.error(
                "Discord refuses the sign-in: check DISCORD_CLIENT_ID, DISCORD_CLIENT_SECRET and the redirect address",
                extra={"action": "sign_in_failed", "status": answer.status, "error": _word(answer)},
            )
            raise GenerationError(
                _("Signing in with Discord is not set up right. The bot's owner finds more in the log.")
            )
        return _read(answer, _Token).access_token

    async def _get(self, path: str, token: str, kind: type[T]) -> T:
        headers = {"Authorization": f"Bearer {token}"}
        return _read(await self._ask("GET", self._api_url + path, self._policy, headers=headers), kind)


def _read(answer: Reply, kind: type[T]) -> T:
    detail = f"HTTP {answer.status}"
    if answer.status == 200:
        try:
            return TypeAdapter(kind).validate_json(answer.body)
        except ValidationError:  # not chained: the text would hold what Discord sent, a token perhaps
            detail = "unreadable"
    raise BackendUnavailable(_("Discord does not answer as it should. Please try again in a minute."), detail=detail)


def _word(answer: Reply) -> str:
    """Return OAuth2's word for what is wrong."""
    try:
        read: Any = json.loads(answer.body)
    except ValueError:
        return ""
    return str(read.get("error", ""))[:60] if isinstance(read, dict) else ""


def _stale() -> RequestRejected:
    return RequestRejected(_("This sign-in has expired or was used already."), field="state", hint=_("Sign in again."))
