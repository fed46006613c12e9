"""Lets respx answer where requests leave Easel: in `net.wire`, behind the check of addresses."""

from typing import Any

import httpx
from respx import mocks


class WireMocker(mocks.AbstractRequestMocker):
    name = "wire"
    targets = ["net.wire.Wire"]  # noqa: RUF012  # a list, as respx adds to it
    target_methods = ["handle_async_request"]  # noqa: RUF012

    @classmethod
    def to_httpx_request(cls, *, request: httpx.Request) -> httpx.Request:
        return request

    @classmethod
    async def from_async_httpx_response(cls, httpx_response: httpx.Response, target: Any, **_: Any) -> httpx.Response:
        return httpx_response


def install() -> None:
    """Make `respx.mock` use it."""
    mocks.DEFAULT_MOCKER = WireMocker.name
