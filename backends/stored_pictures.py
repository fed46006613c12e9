"""Pictures that a server names by a URL, or sends inside.

Source: recorded answers of an AI Horde and a Grid: pictures lie in a public store, their URLs ask for no header, and a
key sent along would be given away.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx
from pybase64 import b64decode

from backends.base import BackendConfig
from constants import MAX_IMAGE_BYTES
from generation.errors import BackendUnavailable, UnexpectedAnswer
from net.calls import Calls
from net.client import make_client
from net.guard import guarded_transport
from texts.text import _
from utils.images import BadImage, inspect
from utils.threads import run_in_thread
from utils.urls import UrlPolicy, UrlRefused, check_host

DOWNLOAD_TIMEOUT_S: Final = 60.0
DOWNLOAD_TRIES: Final = 2  # the picture is there and paid for; a dropped connection must not have it drawn again
UPSCALED_BYTES_PER_PIXEL: Final = 4 * 16  # raw RGBA after the largest upscaler, four times each side
SPARE_BYTES: Final = 1024 * 1024


def picture_client(config: BackendConfig, *, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the client for picture URLs that a server names: without a key, and to public addresses only.

    A server on a private address may keep its pictures on one too, where the instance itself may be there.
    """
    may_be_private = config.allow_private and is_private(config.url)
    rules = replace(
        config,
        key="",
        timeout_s=DOWNLOAD_TIMEOUT_S,
        allow_private=may_be_private,
        allow_insecure_http=may_be_private,
        allowed_hosts=(),
    )
    return make_client(rules.endpoint, transport=transport or guarded_transport(rules.policy))


def is_private(url: str) -> bool:
    """Return whether an address is one of this machine or a private network, as far as its name tells."""
    try:
        parsed = httpx.URL(url)
        check_host(parsed.scheme, parsed.host, UrlPolicy(allow_insecure_http=True))
    except (httpx.InvalidURL, UrlRefused):
        return True
    return False


async def picture(label: str, client: httpx.AsyncClient, given: str, pixels: int) -> bytes:
    """Return one picture file as the server made it.

    Args:
        label: the engine's name as people see it.
        client: made by `picture_client`.
        given: a URL, or base64 with or without a `data:` prefix.
        pixels: of the picture before upscaling; bounds the download.

    Raises:
        BackendUnavailable: the store does not answer, or no longer has it.
        UnexpectedAnswer: it is larger than can be, or is no picture.
    """
    limit = min(MAX_IMAGE_BYTES, SPARE_BYTES + UPSCALED_BYTES_PER_PIXEL * pixels)
    if given.startswith(("https://", "http://")):
        data = await _download(label, client, given, limit)
    else:
        data = await run_in_thread(_decode, label, given, limit)
    await run_in_thread(check_picture, label, data)
    return data


async def _download(label: str, client: httpx.AsyncClient, url: str, limit: int) -> bytes:
    calls = Calls(label, client, limit=limit)
    for tries_left in range(DOWNLOAD_TRIES - 1, -1, -1):
        try:
            reply = await calls.call("GET", url, may_have_run=True)
        except BackendUnavailable as error:
            if tries_left:
                continue
            raise _lost(
                _("{label} drew the picture, but it could not be fetched.", label=label), error.detail
            ) from error
        if reply.status == HTTPStatus.OK:
            return reply.body
        raise _lost(
            _("{label} drew the picture, but its store no longer has it.", label=label),
            _("HTTP {status} for a picture", status=reply.status),
        )
    raise AssertionError(_("not reached: the last try returns or raises"))


def _lost(message: str, detail: str) -> BackendUnavailable:
    return BackendUnavailable(message, detail=detail, hint=_("Try again in a moment."), may_have_run=True)


def _decode(label: str, text: str, limit: int) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) > limit * 4 // 3 + 4:
        raise UnexpectedAnswer(
            _("{label} answers with more than any picture needs.", label=label),
            detail=f"{len(text)} characters",
            may_have_run=True,
        )
    try:
        return b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; signs that are not ASCII are another
        raise UnexpectedAnswer(
            _("{label} sent a picture that is cut off.", label=label), detail=str(error), may_have_run=True
        ) from error


def check_picture(label: str, data: bytes) -> None:
    """Check what an engine sent for a picture. Blocks: call it in a thread.

    Raises:
        UnexpectedAnswer: it is none.
    """
    try:
        inspect(data)
    except BadImage as error:
        raise UnexpectedAnswer(
            _("{label} sent a picture that cannot be used.", label=label), detail=str(error), may_have_run=True
        ) from error
