"""RunPod: REST v1. `GET /pods`, `POST /pods/{id}/start` and `/stop`, bearer token.

Source: its OpenAPI file (docs.runpod.io/api-reference/openapi.json) and the samples of
docs.runpod.io/api-reference/pods/GET/pods; addresses of HTTP ports are `https://{id}-{port}.proxy.runpod.net`
(docs.runpod.io, "Expose ports"). That no GPU is free on the pod's own host is told in words only
(github.com/runpod/runpod-python/issues/168).
"""

from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from net.answers import read_with
from services.rentals.providers import Machine, Price, ProviderAccount, State

RUNPOD_API_URL: Final = "https://rest.runpod.io/v1"


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


_PODS: Final = TypeAdapter(list[_Pod])


class RunPod(ProviderAccount):
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
