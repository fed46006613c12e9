"""The client of a server: each answer is read whole and within a limit, each failure is one of our errors.

Engines speak through it alone (`docs/decisions/025-net.md`): it is what knows httpx, and what a broken connection, a
silence, or an answer that is no JSON means to people.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar, overload

import httpx
from pydantic import BaseModel, TypeAdapter

from generation.errors import GenerationError
from net.answers import read_json, read_model, read_with
from net.failures import translate
from net.reply import Reply, read_reply
from utils.threads import read_apart

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
JSON: Final = {"Content-Type": "application/json"}  # the headers of a body that is JSON already

Refusal = Callable[[str, Reply], GenerationError]
Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


class Calls:
    """Calls to one server.

    Args:
        label: the engine's name as people see it.
        client: made by `net.client`.
        refusal: what an answer means that is no success; what it means anywhere if None.
        limit: how many bytes an answer may have, where a call names no other limit.
        timeout: in seconds, where a call names no other.
    """

    def __init__(
        self,
        label: str,
        client: httpx.AsyncClient,
        *,
        refusal: Refusal | None = None,
        limit: int = MAX_ANSWER_BYTES,
        timeout: Any = httpx.USE_CLIENT_DEFAULT,
    ) -> None:
        self.label = label
        self.client = client
        self._refusal = refusal or translate
        self._limit = limit
        self._timeout = timeout

    @asynccontextmanager
    async def open(
        self, method: str, path: str, *, may_have_run: bool | None = None, **sent: Any
    ) -> AsyncIterator[httpx.Response]:
        """Send one request and hand its answer out unread; what fails while it is open is translated."""
        with translated(self.label, may_have_run=may_have_run):
            async with self.client.stream(method, path, **({"timeout": self._timeout} | sent)) as response:
                yield response

    async def call(
        self, method: str, path: str, *, limit: int | None = None, may_have_run: bool | None = None, **sent: Any
    ) -> Reply:
        """Return an answer, whatever its status.

        Args:
            method: GET, POST ...
            path: below the client's address.
            limit: bytes that it may have.
            may_have_run: for a failure, overrides the judgement whether the server may have done what was asked.
            sent: as httpx takes it: `json`, `content`, `headers`, `timeout` ...

        Raises:
            GenerationError: there is none, or none that can be read.
        """
        async with self.open(method, path, may_have_run=may_have_run, **sent) as response:
            return await self.whole(response, limit)

    async def whole(self, response: httpx.Response, limit: int | None = None) -> Reply:
        """Read an answer that `open` handed out."""
        return await read_reply(response, self._limit if limit is None else limit)

    async def fetch(self, method: str, path: str, **options: Any) -> bytes:
        """Return the body of a success that is no web page; takes what `call` takes.

        Raises:
            GenerationError: there is none, or another answer.
        """
        reply = await self.call(method, path, **options)
        if not reply.is_success or reply.is_page:
            raise self.refused(reply)
        return reply.body

    async def aclose(self) -> None:
        await self.client.aclose()

    def refused(self, reply: Reply) -> GenerationError:
        return self._refusal(self.label, reply)

    async def read(self, kind: type[Model], path: str, **options: Any) -> Model:
        """Return what a path answers, as a model."""
        return await self.as_kind(kind, await self.fetch("GET", path, **options))

    @overload
    async def as_kind(self, kind: type[Model], body: bytes, *, may_have_run: bool | None = None) -> Model: ...
    @overload
    async def as_kind(self, kind: TypeAdapter[T], body: bytes, *, may_have_run: bool | None = None) -> T: ...
    async def as_kind(self, kind: Any, body: bytes, *, may_have_run: bool | None = None) -> Any:
        """Return a body as `read_as` does; a large one is read in a thread."""
        return await read_apart(lambda large: read_as(self.label, kind, large, may_have_run=may_have_run), body)

    async def parse(self, body: bytes) -> Any:
        with translated(self.label):
            return await read_apart(read_json, body)


@contextmanager
def translated(label: str, *, may_have_run: bool | None = None) -> Iterator[None]:
    """Raise what goes wrong while something is asked or read as one of our errors."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise translate(label, error, may_have_run=may_have_run) from error


@overload
def read_as(label: str, kind: type[Model], body: bytes, *, may_have_run: bool | None = None) -> Model: ...
@overload
def read_as(label: str, kind: TypeAdapter[T], body: bytes, *, may_have_run: bool | None = None) -> T: ...
def read_as(label: str, kind: Any, body: bytes, *, may_have_run: bool | None = None) -> Any:
    """Return a body as a model, or as what an adapter makes of it. Blocks with a large one.

    Raises:
        UnexpectedAnswer: it is no JSON, or not of that form.
    """
    with translated(label, may_have_run=may_have_run):
        return read_with(kind, body) if isinstance(kind, TypeAdapter) else read_model(kind, body)
