"""One call to a server, with its limit of size and time, and its failures translated."""

from functools import partial
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from generation.errors import GenerationError
from net.answers import read_json, read_model
from net.client import read_bounded
from net.failures import translate
from utils.threads import read_apart

CALL_TIMEOUT_S: Final = 30.0
BRIEF_TIMEOUT_S: Final = 4.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024  # a queue holds the whole graphs of all users

Answer = TypeVar("Answer", bound=BaseModel)


class Calls:
    """Calls to one server. Every failure is one of our errors; an answer that is no success is returned, not raised."""

    def __init__(self, label: str, client: httpx.AsyncClient) -> None:
        self.label = label
        self.client = client

    async def call(
        self, method: str, path: str, *, limit: int = MAX_ANSWER_BYTES, is_brief: bool = False, **sent: Any
    ) -> tuple[httpx.Response, bytes]:
        """Return an answer and its body, of at most `limit` bytes; a brief call is not waited for so long."""
        timeout = httpx.Timeout(BRIEF_TIMEOUT_S if is_brief else CALL_TIMEOUT_S, connect=BRIEF_TIMEOUT_S)
        try:
            async with self.client.stream(method, path, timeout=timeout, **sent) as response:
                return response, await read_bounded(response, limit)
        except GenerationError:
            raise
        except (httpx.HTTPError, ValueError) as error:
            raise translate(self.label, error) from error

    async def get(self, path: str, limit: int = MAX_ANSWER_BYTES) -> bytes:
        """Return the body of a success; all else is raised."""
        response, body = await self.call("GET", path, limit=limit)
        if not response.is_success:
            raise translate(self.label, response, body=body)
        return body

    async def read(self, model: type[Answer], path: str) -> Answer:
        return await self.as_model(model, await self.get(path))

    async def as_model(self, model: type[Answer], body: bytes, *, may_have_run: bool | None = None) -> Answer:
        try:
            return await read_apart(partial(read_model, model), body)
        except ValidationError as error:
            raise translate(self.label, error, may_have_run=may_have_run) from error

    async def parse(self, body: bytes) -> Any:
        return await read_apart(self._parse, body)

    def _parse(self, body: bytes) -> Any:
        try:
            return read_json(body)
        except ValueError as error:
            raise translate(self.label, error) from error
