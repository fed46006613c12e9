"""The caller: a key's bearer, a person who signed in, somebody with a link from Discord, or the one at this machine.

Whoever sits at this machine needs no key. That is decided by the connection, by the Host header (a page elsewhere may
point a name of its own at 127.0.0.1) and by the absence of a proxy's headers. A key is the only way in for the pages of
other sites (`api.origins`).
"""

from dataclasses import replace
from ipaddress import ip_address
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from api.context import web_of
from api.errors import CrossSite
from api.origins import is_from_a_browser, is_own_page
from generation.errors import GenerationError
from generation.job import Origin
from generation.person import Person
from services.people.access import LOCAL_USER, SCOPES, TOKEN_PREFIX
from services.refusals import SignInNeeded, check_scope, unknown_key
from settings.web import LOOPBACK_NAMES

SESSION_COOKIE: Final = "easel_session"
LINK_COOKIE: Final = "easel_link"
JOB_COOKIE: Final = "easel_job"  # a ticket for the job that a link from Discord opens
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PROXY_HEADERS: Final = (
    "forwarded", "via", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip",
    "fastly-client-ip", "x-original-host", "x-original-forwarded-for", "cdn-loop",
)  # fmt: skip
PROXY_PREFIX: Final = "x-forwarded-"
CALLER: Final = "easel.caller"  # in the scope of a request, once it is known
LOCAL: Final = Person(user_key=f"api:{LOCAL_USER}", name="You", scopes=frozenset(SCOPES), how="local")


async def find_caller(request: HTTPConnection) -> Person | None:
    """Return who calls; None when nobody known does. It is found out once for each request.

    Raises:
        LimitReached: the key was used too often, or too many wrong ones came from there.
        CrossSite: a cookie comes with a change, and no browser says which page asks.
    """
    if CALLER not in request.scope:
        request.scope[CALLER] = await _find(request)
    caller: Person | None = request.scope[CALLER]
    return caller


async def is_known(request: HTTPConnection) -> bool:
    """Return whether somebody known calls; that counts against no key's rate."""
    try:
        return await _find(request, takes_turn=False) is not None
    except GenerationError:
        return False


async def _find(request: HTTPConnection, *, takes_turn: bool = True) -> Person | None:
    access = web_of(request).access
    token = _bearer(request)
    if token.startswith(TOKEN_PREFIX):
        remote = request.client.host if request.client else ""
        return await access.verify_key(token, remote=remote, takes_turn=takes_turn)
    if not is_from_own_page(request):
        return None
    cookie, link = request.cookies.get(SESSION_COOKIE), request.cookies.get(LINK_COOKIE)
    caller = await access.verify_session(cookie) if cookie else None
    if caller is None and link:
        caller = access.verify_link(link)
    if caller is None:
        return LOCAL if is_local(request) else None
    if request.scope.get("method") not in SAFE_METHODS and not is_from_a_browser(request.headers):
        raise CrossSite  # cookies are a browser's, and those of today send `Origin` with every change
    return _shown(request, caller)


def is_from_own_page(request: HTTPConnection) -> bool:
    """Return whether the cookies and the place of this request are its sender's own, not those of a page's visitor."""
    public_url = web_of(request).settings.public_url
    return is_own_page(request.headers, scheme=request.url.scheme, public_url=public_url)


async def caller_of(request: Request) -> Person:
    """The caller, who must be known.

    Raises:
        SignInNeeded: nobody known calls.
    """
    caller = await find_caller(request)
    if caller is None:
        raise unknown(request)
    return caller


def unknown(request: Request) -> SignInNeeded:
    """Return the error for a caller who is nobody known; a bad key is told apart from none."""
    if _bearer(request).startswith(TOKEN_PREFIX):
        return unknown_key()
    return SignInNeeded()


class Need:
    """A dependency that lets in only who has a scope; `EaselRoute` asks it before the body is read."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    async def __call__(self, caller: Annotated[Person, Depends(caller_of)]) -> Person:
        check_scope(caller, self._scope)
        return caller


Reader = Annotated[Person, Depends(Need("read"))]
Maker = Annotated[Person, Depends(Need("generate"))]
Admin = Annotated[Person, Depends(Need("admin"))]
Anybody = Annotated[Person | None, Depends(find_caller)]


def is_local(connection: HTTPConnection) -> bool:
    """Return whether the person at this machine calls, directly."""
    if not web_of(connection).settings.is_open or connection.client is None:
        return False
    try:
        is_near = ip_address(connection.client.host).is_loopback
    except ValueError:
        return False
    is_direct = not any(name in PROXY_HEADERS or name.startswith(PROXY_PREFIX) for name in connection.headers)
    is_direct = is_direct and connection.scope.get("http_version") != "1.0"  # nginx says no more of itself than that
    return is_near and is_direct and connection.url.hostname in LOOPBACK_NAMES


def _shown(request: HTTPConnection, caller: Person) -> Person:
    """Note the job that this visitor's link from Discord opens, whoever made it."""
    ticket = request.cookies.get(JOB_COOKIE, "")
    return replace(caller, job_id=web_of(request).own.studio.job_of(ticket)) if ticket else caller


def origin_of(caller: Person, **more: object) -> Origin:
    """Return where a request of this caller comes from; it counts under the person's own key."""
    door, __, user_id = caller.user_key.partition(":")
    account = caller.user_key if door != "api" else ""
    values = {"door": "api", "user_id": user_id, "user_name": caller.name, "account": account, **more}
    return Origin(**values)  # type: ignore[arg-type]


def _bearer(request: HTTPConnection) -> str:
    kind, __, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "")
