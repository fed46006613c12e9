"""The engines over HTTP behind a fault proxy: where each generates, says that it is done, and keeps its picture."""

import base64
import json
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import pytest

from backends import queued, stored_pictures
from backends.a1111.backend import A1111Backend
from backends.ai_horde import backend as horde_module
from backends.ai_horde.backend import AiHordeBackend
from backends.aipowergrid.backend import AiPowerGridBackend
from backends.base import Backend, BackendConfig
from backends.bfl.backend import BflBackend
from backends.comfyui import client as comfyui_module
from backends.comfyui.backend import ComfyUIBackend
from backends.fal.backend import FalBackend
from backends.gemini.backend import GeminiBackend
from backends.gradio_flux import client as gradio_module
from backends.gradio_flux.backend import GradioFluxBackend
from backends.openai_images.backend import OpenAIImagesBackend
from backends.replicate import client as replicate_module
from backends.replicate.backend import ReplicateBackend
from backends.stability.backend import StabilityBackend
from net.rates import RateWindow
from tests.backends.comfyui.rig import QUICK as QUICK_COMFYUI
from tests.backends.comfyui.v2.rig import WORKFLOW
from tests.backends.test_a1111_contract import QUICK as QUICK_A1111
from tests.backends.test_ai_horde_contract import QUICK as QUICK_HORDE
from tests.backends.test_aipowergrid_contract import QUICK as QUICK_GRID
from tests.backends.test_bfl_contract import QUICK as QUICK_BFL
from tests.backends.test_fal_contract import QUICK as QUICK_FAL
from tests.backends.test_replicate_contract import QUICK as QUICK_REPLICATE
from tests.engines.a1111_server import A1111Server
from tests.engines.bfl_server import KEY as BFL_KEY
from tests.engines.bfl_server import BflServer
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.engines.fal_server import KEY as FAL_KEY
from tests.engines.fal_server import FalServer
from tests.engines.fault_proxy import Fault, FaultProxy
from tests.engines.gemini_server import KEY as GEMINI_KEY
from tests.engines.gemini_server import GeminiServer
from tests.engines.gradio_app import GradioApp
from tests.engines.grid_server import GridServer
from tests.engines.horde_server import HordeServer
from tests.engines.openai_server import KEY as OPENAI_KEY
from tests.engines.openai_server import OpenAIServer
from tests.engines.replicate_server import KEY as REPLICATE_KEY
from tests.engines.replicate_server import ReplicateServer
from tests.engines.stability_server import KEY as STABILITY_KEY
from tests.engines.stability_server import StabilityServer

TIMEOUT_S = 3.0
QUICK_TIMEOUT_S = 0.25
KEY = "grid_user"
KEYS = {  # of the engines that ask for one
    "aipowergrid": KEY,
    "openai_images": OPENAI_KEY,
    "stability": STABILITY_KEY,
    "replicate": REPLICATE_KEY,
    "gemini": GEMINI_KEY,
    "bfl": BFL_KEY,
    "fal": FAL_KEY,
}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`taken`: how many jobs the stand-in accepted. `without` and `inside` change the answer in `end`:

    no picture in it, or this text in place of base64 (None: this engine never sends pictures inside).
    """

    kind: str
    server: Callable[..., AbstractAsyncContextManager[Any]]
    connect: Callable[[str], Backend]
    job: str
    end: str
    picture: str
    taken: Callable[[Any], int]
    without: Callable[[Any], Any]
    inside: Callable[[Any, str], Any] | None
    hold: Callable[[Any], None]
    release: Callable[[Any], None]
    is_working: Callable[[Any], bool]
    asks: str = "\n"  # in calls like `end` that only ask how far it is

    def arm_picture(self, proxy: FaultProxy, data: bytes, times: int = 1) -> None:
        """Let the next picture be this file."""
        if self.picture:
            proxy.arm(Fault(kind="answer", where=self.picture, body=data, content_type="image/png", times=times))
        elif self.inside is None:  # the answer is the picture
            proxy.arm(Fault(kind="edit", where=self.end, edit=lambda body: data, times=times))
        else:
            self.arm_inside(proxy, base64.b64encode(data).decode())

    def arm_inside(self, proxy: FaultProxy, text: str) -> None:
        assert self.inside is not None
        edit = self.inside
        change = partial(_changed, change=lambda reported: edit(reported, text))
        proxy.arm(Fault(kind="edit", where=self.end, unless=self.asks, edit=change))

    def arm_empty(self, proxy: FaultProxy) -> None:
        proxy.arm(Fault(kind="edit", where=self.end, edit=lambda body: _changed(body, self.without), times=9))


def _changed(body: bytes, change: Callable[[Any], Any]) -> bytes:
    """Change JSON, or each line of an event stream; a picture is taken away."""
    if not body.startswith((b"{", b"[", b"data:")):
        return b"{}"
    if not body.startswith(b"data:"):
        return json.dumps(change(json.loads(body))).encode()
    lines = [line for line in body.split(b"\n") if line]
    return b"".join(b"data: " + json.dumps(change(json.loads(line[5:]))).encode() + b"\n\n" for line in lines)


def _config(kind: str, url: str, key: str = "") -> BackendConfig:
    return BackendConfig(name="gpu", kind=kind, url=url, key=key, label="The GPU", timeout_s=TIMEOUT_S)


def _openai(url: str) -> Backend:
    config = replace(_config("openai_images", url, OPENAI_KEY), options={"dialect": "openai", "pause": "0"})
    return OpenAIImagesBackend(config)


def _grid(url: str) -> Backend:
    backend = AiPowerGridBackend(_config("aipowergrid", url, KEY), pace=QUICK_GRID)
    backend._timeout_s = TIMEOUT_S  # not below 320 s otherwise: the real one may take 300
    return without_rates(backend)


def _horde(url: str) -> Backend:
    return without_rates(AiHordeBackend(_config("ai_horde", url), pace=QUICK_HORDE))


def without_rates(backend: Backend) -> Backend:
    """Let it call as often as it likes: the stand-ins here keep no rates either."""
    for window in vars(backend).values():
        if isinstance(window, RateWindow):
            window._rates = ()
    return backend


def _no_outputs(reported: dict[str, Any]) -> dict[str, Any]:
    return {job: {**entry, "outputs": {}} for job, entry in reported.items()}


def _no_data(reported: dict[str, Any]) -> dict[str, Any]:
    return (
        {**reported, "output": {**reported["output"], "data": []}}
        if reported["msg"] == "process_completed"
        else reported
    )


def _horde_inside(reported: dict[str, Any], text: str) -> dict[str, Any]:
    return {**reported, "generations": [{**item, "img": text} for item in reported["generations"]]}


def _grid_inside(reported: dict[str, Any], text: str) -> dict[str, Any]:
    return {**reported, "data": [{"b64_json": text, "seed": 1} for _ in reported["data"]]}


def _replicate_inside(reported: dict[str, Any], text: str) -> dict[str, Any]:
    return {**reported, "status": "succeeded", "output": [f"data:image/png;base64,{text}"]}


def _gemini_inside(reported: dict[str, Any], text: str) -> dict[str, Any]:
    return {**reported, "candidates": [{"content": {"parts": [{"inlineData": {"data": text}}]}}]}


ENGINES = {
    engine.kind: engine
    for engine in (
        Engine(
            kind="a1111",
            server=A1111Server,
            connect=lambda url: A1111Backend(_config("a1111", url), pace=QUICK_A1111),
            job="POST /sdapi/v1/txt2img",
            end="POST /sdapi/v1/txt2img",
            picture="",
            taken=lambda server: len(server.submitted),
            without=lambda reported: {**reported, "images": []},
            inside=lambda reported, text: {**reported, "images": [text]},
            hold=lambda server: server.engine.hold(),
            release=lambda server: server.engine.release(),
            is_working=lambda server: server.engine.job is not None,
        ),
        Engine(
            kind="comfyui",
            server=ComfyUIServer,
            connect=lambda url: ComfyUIBackend(_config("comfyui", url), pace=QUICK_COMFYUI),
            job="POST /prompt",
            end="GET /history/",
            picture="GET /view",
            taken=lambda server: len(server.engine.submitted),
            without=_no_outputs,
            inside=None,
            hold=lambda server: server.engine.hold(),
            release=lambda server: server.engine.release(),
            is_working=lambda server: server.engine.running is not None,
        ),
        Engine(
            kind="gradio_flux",
            server=GradioApp,
            connect=lambda url: GradioFluxBackend(_config("gradio_flux", url), silence_s=TIMEOUT_S),
            job="/queue/join",
            end="/queue/data",
            picture="/file=",
            taken=lambda app: len(app.engine.submitted),
            without=_no_data,
            inside=None,
            hold=lambda app: app.engine.hold(),
            release=lambda app: app.engine.release(),
            is_working=lambda app: bool(app.engine.drawing),
        ),
        Engine(
            kind="ai_horde",
            server=partial(HordeServer, has_rates=False),
            connect=_horde,
            job="POST /api/v2/generate/async",
            end="GET /api/v2/generate/status/",
            picture="GET /transient/",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "generations": []},
            inside=_horde_inside,
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: bool(server.jobs),
        ),
        Engine(
            kind="aipowergrid",
            server=partial(GridServer, has_rates=False),
            connect=_grid,
            job="POST /v1/images/generations",
            end="POST /v1/images/generations",
            picture="GET /pictures/",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "data": []},
            inside=_grid_inside,
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs),
        ),
        Engine(
            kind="openai_images",
            server=OpenAIServer,
            connect=_openai,
            job="POST /v1/images/generations",
            end="POST /v1/images/generations",
            picture="",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "data": []},
            inside=lambda reported, text: {**reported, "data": [{"b64_json": text} for _ in reported["data"]]},
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs),
        ),
        Engine(
            kind="stability",
            server=StabilityServer,
            connect=lambda url: StabilityBackend(_config("stability", url, STABILITY_KEY), poll_s=0.01),
            job="POST /v2beta/stable-image/generate/core",
            end="POST /v2beta/stable-image/generate/core",
            picture="",
            taken=lambda server: len(server.jobs),
            without=lambda body: body,
            inside=None,
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs),
        ),
        Engine(
            kind="replicate",
            server=ReplicateServer,
            connect=lambda url: ReplicateBackend(_config("replicate", url, REPLICATE_KEY), pace=QUICK_REPLICATE),
            job="POST /v1/models/black-forest-labs/flux-schnell/predictions",
            end="GET /v1/predictions/",
            picture="GET /delivery/",
            taken=lambda server: len(server.runs),
            without=lambda reported: {**reported, "output": []} if reported.get("status") == "succeeded" else reported,
            inside=_replicate_inside,
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(not run.has_ended for run in server.runs.values()),
        ),
        Engine(
            kind="bfl",
            server=BflServer,
            connect=lambda url: BflBackend(_config("bfl", url, BFL_KEY), pace=QUICK_BFL),
            job="POST /v1/flux-2-pro",
            end="GET /v1/get_result",
            picture="GET /delivery/",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "status": "Ready", "result": None},
            inside=lambda reported, text: {**reported, "status": "Ready", "result": {"sample": f"data:,{text}"}},
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs.values()),
        ),
        Engine(
            kind="fal",
            server=FalServer,
            connect=lambda url: FalBackend(_config("fal", url, FAL_KEY), pace=QUICK_FAL),
            job="POST /fal-ai/flux-2",
            end="GET /fal-ai/flux-2/requests/",
            asks="/status",
            picture="GET /files/",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "images": []} if "images" in reported else reported,
            inside=lambda reported, text: (
                {**reported, "images": [{"url": f"data:,{text}"}]} if "images" in reported else reported
            ),
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs.values()),
        ),
        Engine(
            kind="gemini",
            server=GeminiServer,
            connect=lambda url: GeminiBackend(_config("gemini", url, GEMINI_KEY)),
            job="POST /v1beta/models/",
            end="POST /v1beta/models/",
            picture="",
            taken=lambda server: len(server.jobs),
            without=lambda reported: {**reported, "candidates": []},
            inside=_gemini_inside,
            hold=lambda server: server.hold(),
            release=lambda server: server.release(),
            is_working=lambda server: any(job.is_running for job in server.jobs),
        ),
    )
}
PAID = frozenset(
    {"openai_images", "stability", "replicate", "gemini", "bfl", "fal"}
)  # what was sent there is never sent again by itself


COMFYUI_V2 = Engine(
    kind="comfyui_v2",  # alone: with the classic API beside it, most of these faults are made good
    server=partial(ComfyUIV2Server, has_classic=False),
    connect=lambda url: ComfyUIBackend(
        replace(_config("comfyui", url), options={"workflow": WORKFLOW}), pace=QUICK_COMFYUI
    ),
    job="POST /api/v2/jobs",
    end="GET /api/v2/jobs/",
    picture="GET /api/v2/assets/",
    taken=lambda server: len(server.engine.submitted),
    without=lambda reported: {**reported, "outputs": []} if "outputs" in reported else reported,
    inside=None,
    hold=lambda server: server.engine.hold(),
    release=lambda server: server.engine.release(),
    is_working=lambda server: server.engine.running is not None,
)
ALL = ENGINES | {COMFYUI_V2.kind: COMFYUI_V2}


def quick_timeouts(monkeypatch: pytest.MonkeyPatch, timeout_s: float = QUICK_TIMEOUT_S) -> None:
    """Half a minute of patience is more than a table of faults has."""
    monkeypatch.setattr(sys.modules[__name__], "TIMEOUT_S", timeout_s)
    monkeypatch.setattr(horde_module, "TIMEOUT", httpx.Timeout(timeout_s))
    monkeypatch.setattr(comfyui_module, "CALL_TIMEOUT_S", timeout_s)
    monkeypatch.setattr(gradio_module, "FILE_TIMEOUT_S", timeout_s)
    monkeypatch.setattr(queued, "TIMEOUT", httpx.Timeout(timeout_s))
    monkeypatch.setattr(replicate_module, "ASK_TIMEOUT", httpx.Timeout(timeout_s))
    monkeypatch.setattr(replicate_module, "SEND_TIMEOUT", httpx.Timeout(timeout_s))
    monkeypatch.setattr(stored_pictures, "DOWNLOAD_TIMEOUT_S", timeout_s)
