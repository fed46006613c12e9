"""Machines rented by the hour, through their providers' own APIs: which there are, start one, stop one.

Written from the providers' documents: never run against the real services. Keys travel in the header alone, never in a
URL. What a listing holds besides (environment variables, tokens) is not read, and no answer's body gets into the log.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from lazy import dataclass, pattern
from net.calls import Calls
from net.client import BearerAuth, make_client
from net.endpoint import Endpoint
from net.failures import parse_retry_after, translate
from net.reply import Reply
from texts.text import _

TIMEOUT_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
RATE_PAUSE_S: Final = 30.0  # Vast.ai sends no Retry-After

State = Literal["running", "stopped", "starting", "unknown"]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_PROXY: Final = pattern(r"([a-z0-9]+)-\d+\.proxy\.runpod\.net")
_NO_GPU: Final = pattern(rb"not enough free gpus|no longer any instances|resources.?unavailable", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One rented machine as its provider tells of it. `urls`: where its ports are reached, as far as that is told."""

    provider: str
    id: str
    name: str
    gpu: str
    state: State
    usd_per_hour: float | None  # while it runs; its disk costs more, also while it is stopped
    urls: tuple[str, ...] = ()


class GpuProvider(Protocol):
    """One account at one provider."""

    kind: str
    title: str

    async def list(self) -> tuple[Machine, ...]:
        """Name all machines of the account, stopped ones too.

        Raises:
            GenerationError: the key is refused, no answer, too many requests, or an answer that cannot be read.
        """
        ...

    async def start(self, machine_id: str) -> None:
        """Ask for a stopped machine to be started; it boots for minutes afterwards.

        Raises:
            GenerationError: as for `list`; also when there is no such machine, or its GPU is let to somebody else.
        """
        ...

    async def stop(self, machine_id: str) -> None:
        """Ask for a machine to be stopped; its disk is kept, and billed.

        Raises:
            GenerationError: as for `list`; also when there is no such machine.
        """
        ...


class ProviderAccount:
    """The part that both share: one short request with the key, and what its failure means."""

    kind: str
    title: str
    setting: str  # where the key stands

    def __init__(self, key: str, url: str) -> None:
        self._key = key
        self._endpoint = Endpoint(url=url, timeout_s=TIMEOUT_S, is_trusted=True)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Return the body of a success; all else is raised in words that fit a provider."""
        try:
            async with asyncio.timeout(TIMEOUT_S), make_client(self._endpoint, auth=BearerAuth(self._key)) as client:
                reply = await Calls(self.title, client, limit=MAX_ANSWER_BYTES).call(method, path, json=body)
        except (GenerationError, TimeoutError) as error:
            raise self._unanswered(error, is_change=method != "GET") from error
        if not reply.is_success:
            raise self._refused(reply)
        return reply.body

    def _unanswered(self, error: GenerationError | TimeoutError, *, is_change: bool) -> GenerationError:
        failure = translate(self.title, error)
        failure.detail = type(error.__cause__ or error).__name__  # the text of a refused header would hold the key
        failure.hint = _("Try again in a minute.")
        if is_change and isinstance(failure, BackendError) and failure.may_have_run:
            failure.hint = _("It may have been done all the same: look with `/gpu show`.")
        return failure

    def _refused(self, reply: Reply) -> GenerationError:
        status = reply.status
        detail = f"HTTP {status}"
        if status in (401, 403):
            return BackendAuthError(
                _("{title} refuses the API key.", title=self.title),
                detail=detail,
                hint=_("The owner of Easel can renew {setting}.", setting=self.setting),
            )
        if status == 429:
            after = parse_retry_after(reply.headers.get("retry-after")) or RATE_PAUSE_S
            return RateLimited(
                _("{title} asks us to slow down.", title=self.title),
                detail=detail,
                retry_after=after,
                hint=_("Try again in a minute."),
            )
        if has_no_gpu(reply.body):
            return self._no_gpu(detail)
        if status == 404:
            return RequestRejected(
                _("{title} does not know this machine.", title=self.title),
                detail=detail,
                hint=_("It was probably terminated. Deploy another, then `/sdconnect`."),
            )
        if status >= 500:
            return BackendUnavailable(
                _("{title} failed inside.", title=self.title),
                detail=detail,
                hint=_("Try again in a minute."),
                may_have_run=True,
            )
        return BackendError(
            _("{title} does not accept this.", title=self.title), detail=detail, hint=_("Do it on its own page.")
        )

    def _no_gpu(self, detail: str) -> BackendUnavailable:
        return BackendUnavailable(
            _("{title} has no free GPU for this machine now.", title=self.title),
            detail=detail,
            hint=_("Somebody else rents it. Try again later, or deploy a new machine and `/sdconnect` it."),
        )

    def _unreadable(self, error: ValidationError) -> UnexpectedAnswer:
        places = [".".join(map(str, found["loc"])) for found in error.errors(include_input=False)[:3]]
        return UnexpectedAnswer(
            _("{title} gave an answer that cannot be read.", title=self.title),
            detail=f"ValidationError: {', '.join(places)}",
            hint=_("Look at its own page."),
        )


def has_no_gpu(body: bytes) -> bool:
    """Return whether an answer says that no GPU is free: that is told in words only."""
    return _NO_GPU.search(body) is not None


def machine_at(url: str, machines: Iterable[Machine], known_id: str = "") -> Machine | None:
    """Find the machine behind an engine's address.

    Args:
        url: the engine's address.
        machines: those of the account.
        known_id: the machine that was seen at this address before; a stopped one has no ports to know it by.
    """
    machines = tuple(machines)
    host, place = (urlsplit(url).hostname or "").lower(), _place(url)
    if proxied := _PROXY.fullmatch(host):
        return next(
            (machine for machine in machines if machine.provider == "runpod" and machine.id == proxied[1]), None
        )
    if found := next((machine for machine in machines if place in map(_place, machine.urls)), None):
        return found
    return next((machine for machine in machines if known_id and machine.id == known_id), None)


def _place(url: str) -> tuple[str, int]:
    """Return host and port of an address; (host, 0) for what is none."""
    read = urlsplit(url)
    try:
        port = read.port or (443 if read.scheme == "https" else 80)
    except ValueError:
        port = 0
    return (read.hostname or "").lower(), port
