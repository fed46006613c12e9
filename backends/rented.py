"""Machines rented by the hour, through their providers' own APIs: which there are, start one, stop one.

RunPod: REST v1. `GET /pods`, `POST /pods/{id}/start` and `/stop`, bearer token. Source: its OpenAPI file
(docs.runpod.io/api-reference/openapi.json) and the samples of docs.runpod.io/api-reference/pods/GET/pods; addresses of
HTTP ports are `https://{id}-{port}.proxy.runpod.net` (docs.runpod.io, "Expose ports"). That no GPU is free on the pod's
own host is told in words only (github.com/runpod/runpod-python/issues/168).
Vast.ai: `GET /api/v0/instances/`, `PUT /api/v0/instances/{id}/` with `{"state": "running"}` or `"stopped"`, bearer
token. Source: docs.vast.ai/api-reference ("show instances", "manage instance", "rate limits and errors": 429 comes
without Retry-After); the states are those of docs.vast.ai/cli/reference/show-instances; `success: false` in a 200 and
ports as `{"7860/tcp": [{"HostPort": "40123"}]}` are read as its own command line does (github.com/vast-ai/vast-python).

Written from those documents: never run against the real services. Keys travel in the header alone, never in a URL.
What a listing holds besides (environment variables, tokens) is not read, and no answer's body gets into the log.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from backends.base import BackendConfig
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from net.answers import read_model, read_with
from net.client import BearerAuth, make_client, read_bounded
from net.failures import AnswerTooLarge, parse_retry_after, translate
from texts.text import _

RUNPOD_API_URL: Final = "https://rest.runpod.io/v1"
VAST_API_URL: Final = "https://console.vast.ai/api/v0"
TIMEOUT_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
RATE_PAUSE_S: Final = 30.0  # Vast.ai sends no Retry-After

State = Literal["running", "stopped", "starting", "unknown"]

_PROXY: Final = re.compile(r"([a-z0-9]+)-\d+\.proxy\.runpod\.net")
_NO_GPU: Final = re.compile(rb"not enough free gpus|no longer any instances|resources.?unavailable", re.IGNORECASE)


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
        return next((one for one in machines if one.provider == "runpod" and one.id == proxied[1]), None)
    if found := next((one for one in machines if place in map(_place, one.urls)), None):
        return found
    return next((one for one in machines if known_id and one.id == known_id), None)


Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Gpu(BaseModel):
    id: str | None = None
    displayName: str | None = None  # their name


class _PodHost(BaseModel):
    gpuTypeId: str | None = None


class _Pod(BaseModel):
    id: str = Field(min_length=1)
    name: str | None = None
    desiredStatus: str | None = None
    costPerHr: Price | None = None  # a number, in their sample a string
    adjustedCostPerHr: Price | None = None  # with savings plans: what is billed
    gpu: _Gpu | None = None
    machine: _PodHost | None = None
    ports: list[str] | None = None  # ["7860/http", "22/tcp"]
    portMappings: dict[str, int] | None = None  # {"22": 10341}
    publicIp: str | None = None


def _mapped_only(value: object) -> object:
    """Their sample also shows a bare list of ports, which says nothing of where those are reached."""
    return value if isinstance(value, dict) else {}


class _Outer(BaseModel):
    HostPort: str | None = None


class _Instance(BaseModel):
    id: int
    label: str | None = None
    gpu_name: str | None = None
    num_gpus: int | None = None
    actual_status: str | None = None
    intended_status: str | None = None
    dph_total: Price | None = None
    public_ipaddr: str | None = None
    ports: Annotated[dict[str, list[_Outer] | None], BeforeValidator(_mapped_only)] = Field(default_factory=dict)


class _Instances(BaseModel):
    instances: list[_Instance]


class _Done(BaseModel):
    success: bool


_PODS: Final = TypeAdapter(list[_Pod])


class _Account:
    """What both share: one short request with the key, and what its failure means."""

    kind: str
    title: str
    setting: str  # where the key stands

    def __init__(self, key: str, url: str) -> None:
        self._config = BackendConfig(name=self.kind, kind=self.kind, url=url, key=key, timeout_s=TIMEOUT_S)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                make_client(self._config.endpoint, auth=BearerAuth(self._config.key)) as client,
                client.stream(method, path, json=body) as response,
            ):
                content = await read_bounded(response, MAX_ANSWER_BYTES)
        except (httpx.HTTPError, TimeoutError, AnswerTooLarge, UnicodeError) as error:
            raise self._unanswered(error, is_change=method != "GET") from error
        if not response.is_success:
            raise self._refused(response, content)
        return content

    def _unanswered(self, error: Exception, *, is_change: bool) -> GenerationError:
        said = translate(self.title, error)
        said.detail = type(error).__name__  # the text of a refused header would hold the key
        said.hint = _("Try again in a minute.")
        if is_change and isinstance(said, BackendError) and said.may_have_run:
            said.hint = _("It may have been done all the same: look with `/gpu show`.")
        return said

    def _refused(self, response: httpx.Response, content: bytes) -> GenerationError:
        status = response.status_code
        detail = f"HTTP {status}"
        if status in (401, 403):
            return BackendAuthError(
                _("{title} refuses the API key.", title=self.title),
                detail=detail,
                hint=_("The owner of Easel can renew {setting}.", setting=self.setting),
            )
        if status == 429:
            after = parse_retry_after(response.headers.get("retry-after")) or RATE_PAUSE_S
            return RateLimited(
                _("{title} asks us to slow down.", title=self.title),
                detail=detail,
                retry_after=after,
                hint=_("Try again in a minute."),
            )
        if _NO_GPU.search(content):
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


class RunPod(_Account):
    """Pods of one RunPod account."""

    kind = "runpod"
    title = "RunPod"
    setting = "RUNPOD_API_KEY"

    def __init__(self, key: str, url: str = RUNPOD_API_URL) -> None:
        super().__init__(key, url)

    async def list(self) -> tuple[Machine, ...]:
        content = await self._ask("GET", "/pods?includeMachine=true")
        try:
            pods = read_with(_PODS, content)
        except ValidationError as error:
            raise self._unreadable(error) from error
        return tuple(_of_pod(pod) for pod in pods if pod.desiredStatus != "TERMINATED")

    async def start(self, machine_id: str) -> None:
        await self._ask("POST", f"/pods/{quote(machine_id, safe='')}/start")

    async def stop(self, machine_id: str) -> None:
        await self._ask("POST", f"/pods/{quote(machine_id, safe='')}/stop")


class Vast(_Account):
    """Instances of one Vast.ai account."""

    kind = "vast"
    title = "Vast.ai"
    setting = "VAST_API_KEY"

    def __init__(self, key: str, url: str = VAST_API_URL) -> None:
        super().__init__(key, url)

    async def list(self) -> tuple[Machine, ...]:
        content = await self._ask("GET", "/instances/")
        try:
            answer = read_model(_Instances, content)
        except ValidationError as error:
            raise self._unreadable(error) from error
        return tuple(_of_instance(one) for one in answer.instances)

    async def start(self, machine_id: str) -> None:
        await self._put(machine_id, "running")

    async def stop(self, machine_id: str) -> None:
        await self._put(machine_id, "stopped")

    async def _put(self, machine_id: str, state: str) -> None:
        content = await self._ask("PUT", f"/instances/{quote(machine_id, safe='')}/", {"state": state})
        try:
            answer = read_model(_Done, content)
        except ValidationError as error:
            raise self._unreadable(error) from error
        if not answer.success:
            if _NO_GPU.search(content):
                raise self._no_gpu(_("success: false"))
            raise BackendError(
                _("Vast.ai does not accept this."), detail="success: false", hint=_("Do it on its own page.")
            )


def _of_pod(pod: _Pod) -> Machine:
    states: dict[str | None, State] = {"RUNNING": "running", "EXITED": "stopped"}
    gpu = pod.gpu or _Gpu()
    urls = [f"https://{pod.id}-{port.partition('/')[0]}.proxy.runpod.net" for port in pod.ports or ()
            if port.endswith("/http")]  # fmt: skip
    if pod.publicIp:
        urls += [f"http://{pod.publicIp}:{outer}" for outer in (pod.portMappings or {}).values()]
    return Machine(
        provider="runpod",
        id=pod.id,
        name=pod.name or pod.id,
        gpu=gpu.displayName or gpu.id or (pod.machine and pod.machine.gpuTypeId) or "",
        state=states.get(pod.desiredStatus, "unknown"),
        usd_per_hour=pod.costPerHr if pod.adjustedCostPerHr is None else pod.adjustedCostPerHr,
        urls=tuple(urls),
    )


def _of_instance(one: _Instance) -> Machine:
    count = f"{one.num_gpus}× " if (one.num_gpus or 1) > 1 else ""
    return Machine(
        provider="vast",
        id=str(one.id),
        name=one.label or str(one.id),
        gpu=f"{count}{one.gpu_name or ''}".strip(),
        state=_vast_state(one),
        usd_per_hour=one.dph_total,
        urls=tuple(_vast_urls(one.public_ipaddr, one.ports.values())),
    )


def _vast_state(one: _Instance) -> State:
    if one.intended_status == "stopped" or one.actual_status == "stopped":
        # a stopped one that is wanted waits for its GPU to be free
        return "starting" if one.intended_status == "running" else "stopped"
    if one.actual_status in (None, "loading", "created", "scheduling", "rebooting"):
        return "starting"
    if one.actual_status == "exited":
        return "unknown" if one.intended_status == "running" else "stopped"
    return "running" if one.actual_status == "running" else "unknown"


def _vast_urls(address: str | None, ports: Iterable[Sequence[_Outer] | None]) -> Iterable[str]:
    for outers in ports if address else ():
        for outer in outers or ():
            if outer.HostPort and outer.HostPort.isdigit():
                yield f"http://{(address or '').strip()}:{outer.HostPort}"


def _place(url: str) -> tuple[str, int]:
    """Return host and port of an address; (host, 0) for what is none."""
    read = urlsplit(url)
    try:
        port = read.port or (443 if read.scheme == "https" else 80)
    except ValueError:
        port = 0
    return (read.hostname or "").lower(), port
