"""Ways in for browsers: signing in with Discord, and links from a chat that expire. Answers are pages and redirects."""

from html import escape
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.caller import JOB_COOKIE, LINK_COOKIE, SESSION_COOKIE, Anybody, is_from_own_page
from api.context import LOGIN_PATH, Web, web_of
from api.errors import CrossSite, errors, status_of
from api.routing import Router
from generation.errors import GenerationError
from services.people.access import SESSION_S
from services.people.sign_in import CALLBACK_PATH, STATE_S
from texts.text import _

router = Router(tags=["sign-in"], responses=errors(422))

STATE_COOKIE: Final = "easel_sign_in"
PAGE: Final = """<!doctype html>
<html lang="en" data-theme="system">
<head>
<meta charset="utf-8">
<title>Easel</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/css/base.css">
<link rel="stylesheet" href="/static/css/parts.css">
<link rel="stylesheet" href="/static/css/docs.css">
</head>
<body>
<main class="one-thing">
<h1>{title}</h1>
<p>{text}</p>
<a class="btn btn-primary" href="{link}">{label}</a>
</main>
</body>
</html>
"""
TO_DISCORD: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": _("On to the next page.")},
    404: {"description": _("Signing in is not set up: a page that says so."), "content": {"text/html": {}}},
}
OR_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": _("On to the studio.")},
    **{
        status: {"description": _("A page that says why not."), "content": {"text/html": {}}}
        for status in (400, 403, 410, 502, 503)
    },
}
Text = Annotated[str, Query(max_length=2000)]


@router.get(LOGIN_PATH, status_code=303, response_class=RedirectResponse, responses=TO_DISCORD)
async def login(request: Request, then: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """Go to Discord to sign in, and come back to `then`."""
    web = web_of(request)
    if not web.own.sign_in.is_available:
        return _page(
            404,
            _("Signing in is not set up here"),
            _(
                "Press “Studio” under a picture in Discord, or send /studio there: you get a link of your own. "
                "Whoever runs Easel can switch on signing in; docs/discord-setup.md explains how."
            ),
        )
    begun = web.own.sign_in.begin(_callback(web, request), then=then)
    answer = RedirectResponse(begun.url, status_code=303)
    _set(web, request, answer, STATE_COOKIE, begun.state, STATE_S)
    return answer


@router.get(CALLBACK_PATH, status_code=303, response_class=RedirectResponse, responses=OR_PAGE)
async def callback(request: Request, code: Text = "", state: Text = "", error: Text = "") -> Response:
    """Come back from Discord; who may come in has a session from now on."""
    web = web_of(request)
    if error or not code:
        return _page(
            400, _("You are not signed in"), _("Discord says that you did not agree."), LOGIN_PATH, _("Try again")
        )
    try:
        person = await web.own.sign_in.finish(code, state, cookie=request.cookies.get(STATE_COOKIE, ""))
    except GenerationError as refused:
        status = status_of(refused)
        return _page(status, _("You are not signed in"), _said(refused), LOGIN_PATH, _("Sign in again"))
    __, token = await web.access.open_session(person.user_key, person.name)
    answer = RedirectResponse(person.then, status_code=303)
    _set(web, request, answer, SESSION_COOKIE, token, SESSION_S)
    for name in (STATE_COOKIE, LINK_COOKIE, JOB_COOKIE):
        answer.delete_cookie(name)
    return answer


@router.post("/auth/logout", status_code=204, responses=errors(403))
async def logout(request: Request, caller: Anybody) -> Response:
    """End the session of this browser, or leave by the link it came with."""
    if not is_from_own_page(request):
        raise CrossSite
    if cookie := request.cookies.get(SESSION_COOKIE):
        await web_of(request).access.close_session(cookie)
    answer = Response(status_code=204)
    for name in (SESSION_COOKIE, LINK_COOKIE, JOB_COOKIE):
        answer.delete_cookie(name)
    return answer


@router.get("/open", status_code=303, response_class=RedirectResponse, responses=OR_PAGE)
async def open_link(request: Request, t: Text = "", job: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Follow a link from a chat: its person is let in for a while, and the job it came from opens."""
    web = web_of(request)
    left_s = web.access.link_left_s(t)
    if left_s <= 0:
        return _page(
            410,
            _("This link has expired"),
            _("Links from Discord are good for an hour. Press “Studio” under the picture again for a new one."),
        )
    job_id = web.own.studio.job_of(job) if web.own.studio and job else ""
    answer = RedirectResponse(f"/#/job/{job_id}" if job_id else "/", status_code=303)
    _set(web, request, answer, LINK_COOKIE, t, left_s)
    if job_id:
        _set(web, request, answer, JOB_COOKIE, job, left_s)
    else:
        answer.delete_cookie(JOB_COOKIE)
    return answer


def _callback(web: Web, request: Request) -> str:
    return web.base_url(request) + CALLBACK_PATH


def _set(web: Web, request: Request, answer: Response, name: str, value: str, age_s: float) -> None:
    is_secure = web.base_url(request).startswith("https:")
    answer.set_cookie(name, value, max_age=int(age_s), path="/", secure=is_secure, httponly=True, samesite="lax")


def _said(error: GenerationError) -> str:
    return " ".join(filter(None, (error.user_message, error.hint)))


def _page(status: int, title: str, text: str, link: str = "/", label: str = _("Open Easel")) -> HTMLResponse:
    words = {"title": title, "text": text, "link": link, "label": label}
    content = PAGE.format(**{name: escape(value) for name, value in words.items()})
    return HTMLResponse(content, status, headers={"Cache-Control": "no-store"})
