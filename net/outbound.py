"""Requests to addresses that people gave: the picture behind a link, and webhooks. Nothing of ours goes along.

Every address is checked where the connection is opened (`net.guard`): each answer of DNS, and each redirect.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import httpx

from constants import APP_NAME, MAX_INPUT_IMAGE_BYTES, VERSION
from generation.errors import BackendError, BackendUnavailable, RequestRejected
from net.failures import translate
from net.guard import Resolver, guarded_transport
from net.reply import AnswerTooLarge, Reply, read_reply
from texts.text import _
from utils.urls import MAX_URL_CHARS, UrlPolicy, UrlRefused, check_host, resolve

FETCH_TIMEOUT_S: Final = 30.0  # for all of it: a server that drips bytes must not hold a request for ever
POST_TIMEOUT_S: Final = 15.0
MAX_REDIRECTS: Final = 3
MAX_ANSWER_BYTES: Final = 1024 * 1024

_HINT: Final = _("Give a public https:// address.")


async def fetch_picture(
    url: str,
    *,
    policy: UrlPolicy,
    limit_bytes: int = MAX_INPUT_IMAGE_BYTES,
    field: str = "imageUrl",
    resolver: Resolver = resolve,
) -> bytes:
    """Download what lies behind a link; whether it is a picture is for `MediaService` to say.

    Raises:
        RequestRejected: the address is not allowed, does not answer, or there is no file or too large a one.
    """
    check_outbound(url, policy=policy, field=field)
    headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            _client(policy, resolver) as client,
            client.stream("GET", url, headers=headers, follow_redirects=True) as response,
        ):
            if response.status_code != 200:
                raise RequestRejected(
                    _("The server of that picture answers with HTTP {status_code}.", status_code=response.status_code),
                    field=field,
                    hint=_("Open the link in a private window: it must show the picture without a login."),
                )
            return (await read_reply(response, limit_bytes)).body
    except AnswerTooLarge as error:
        most = f"{limit_bytes / 1024**2:g} MB"
        raise RequestRejected(
            _("The picture behind {field} is too large: at most {most}.", field=field, most=most), field=field
        ) from error
    except httpx.TooManyRedirects as error:
        raise RequestRejected(
            _("The address in {field} redirects too often.", field=field),
            field=field,
            hint=_("Give the address it leads to."),
        ) from error
    except (BackendError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise _unreachable(error, field) from error


async def post_json(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: UrlPolicy,
    *,
    field: str = "webhook",
    resolver: Resolver = resolve,
) -> int:
    """Send a JSON body and return the status. Redirects are not followed, the answer's body is not read.

    Raises:
        RequestRejected: the address is not allowed.
        BackendUnavailable: no answer.
    """
    check_outbound(url, policy=policy, field=field)
    sent = {**headers, "Content-Type": "application/json"}
    try:
        async with (
            asyncio.timeout(POST_TIMEOUT_S),
            _client(policy, resolver) as client,
            client.stream("POST", url, content=body, headers=sent) as response,
        ):
            return response.status_code
    except (BackendError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise _no_answer(error, field) from error


async def call(
    method: str,
    url: str,
    policy: UrlPolicy,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    resolver: Resolver = resolve,
) -> Reply:
    """Ask a small web API, with a form as the body if there is one; redirects are not followed.

    Raises:
        RequestRejected: the address is not allowed.
        BackendUnavailable: no answer, or one that is too large.
    """
    try:
        async with (
            asyncio.timeout(POST_TIMEOUT_S),
            _client(policy, resolver) as client,
            client.stream(method, url, data=form, headers=headers) as response,
        ):
            return await read_reply(response, MAX_ANSWER_BYTES)
    except (BackendError, httpx.HTTPError, httpx.InvalidURL, TimeoutError, AnswerTooLarge) as error:
        raise _no_answer(error, "") from error


def check_outbound(url: str, *, policy: UrlPolicy, field: str) -> None:
    """Check an address as it was given, without DNS; a path and a query are welcome.

    Raises:
        RequestRejected: it is no http(s) address, carries a password, or leads where nobody may send us.
    """
    if len(url) > MAX_URL_CHARS:
        raise RequestRejected(
            _("{field} is longer than {most} characters.", field=field, most=MAX_URL_CHARS),
            field=field,
            hint=_HINT,
        )
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestRejected(_("{field} is not an address.", field=field), field=field, hint=_HINT) from error
    if read.scheme not in ("http", "https") or not read.host:
        raise RequestRejected(_("{field} must begin with https://.", field=field), field=field, hint=_HINT)
    if read.userinfo:
        raise RequestRejected(
            _("{field} holds a user name or password.", field=field), field=field, hint=_("Leave it out.")
        )
    try:
        check_host(read.scheme, read.host, policy)
    except UrlRefused as refused:
        raise _refused(refused, field) from refused


def _client(policy: UrlPolicy, resolver: Resolver) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=guarded_transport(policy, resolver=resolver),
        headers={"User-Agent": f"{APP_NAME}/{VERSION}"},
        timeout=POST_TIMEOUT_S,
        max_redirects=MAX_REDIRECTS,
        trust_env=False,  # a proxy from the environment would resolve names itself, past our check
    )


def _refused(refused: UrlRefused, field: str) -> RequestRejected:
    return RequestRejected(
        _("The address in {field} is refused. {reason}", field=field, reason=refused.reason), field=field, hint=_HINT
    )


def _unreachable(error: Exception, field: str) -> RequestRejected:
    if refused := _broken_rule(error):
        return _refused(refused, field)
    given = translate(_("The server in {field}", field=field), error)
    return RequestRejected(
        given.user_message, field=field, detail=given.detail, hint=_("Check the link, or send the picture itself.")
    )


def _no_answer(error: Exception, field: str) -> RequestRejected | BackendUnavailable:
    if refused := _broken_rule(error):
        return _refused(refused, field or _("the setting"))
    given = translate(_("The server"), error)
    return BackendUnavailable(given.user_message, detail=given.detail)


def _broken_rule(error: Exception) -> UrlRefused | None:
    return error.__cause__ if isinstance(error.__cause__, UrlRefused) else None
