"""Vast.ai: `GET /api/v0/instances/`, `PUT /api/v0/instances/{id}/` with a `state`, bearer token.

`{"state": "running"}` starts and `{"state": "stopped"}` stops. Source: docs.vast.ai/api-reference ("show instances",
"manage instance", "rate limits and errors": 429 comes without Retry-After); the states are those of
docs.vast.ai/cli/reference/show-instances; `success: false` in a 200 and ports as
`{"7860/tcp": [{"HostPort": "40123"}]}` are read as its own command line does (github.com/vast-ai/vast-python).
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from generation.errors import BackendError
from net.answers import read_model
from services.rentals.providers import Machine, Price, ProviderAccount, State, has_no_gpu
from texts.text import _

VAST_API_URL: Final = "https://console.vast.ai/api/v0"


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


class Vast(ProviderAccount):
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
        return tuple(_of_instance(instance) for instance in answer.instances)

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
            if has_no_gpu(content):
                raise self._no_gpu(_("success: false"))
            raise BackendError(
                _("Vast.ai does not accept this."), detail="success: false", hint=_("Do it on its own page.")
            )


def _of_instance(item: _Instance) -> Machine:
    count = f"{item.num_gpus}× " if (item.num_gpus or 1) > 1 else ""
    return Machine(
        provider="vast",
        id=str(item.id),
        name=item.label or str(item.id),
        gpu=f"{count}{item.gpu_name or ''}".strip(),
        state=_vast_state(item),
        usd_per_hour=item.dph_total,
        urls=tuple(_vast_urls(item.public_ipaddr, item.ports.values())),
    )


def _vast_state(item: _Instance) -> State:
    if item.intended_status == "stopped" or item.actual_status == "stopped":
        # a stopped one that is wanted waits for its GPU to be free
        return "starting" if item.intended_status == "running" else "stopped"
    if item.actual_status in (None, "loading", "created", "scheduling", "rebooting"):
        return "starting"
    if item.actual_status == "exited":
        return "unknown" if item.intended_status == "running" else "stopped"
    return "running" if item.actual_status == "running" else "unknown"


def _vast_urls(address: str | None, ports: Iterable[Sequence[_Outer] | None]) -> Iterable[str]:
    for outers in ports if address else ():
        for outer in outers or ():
            if outer.HostPort and outer.HostPort.isdigit():
                yield f"http://{(address or '').strip()}:{outer.HostPort}"
