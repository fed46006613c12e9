"""The backend connected to the stand-in."""

from typing import Any

from backends.base import BackendConfig
from backends.comfyui.backend import ComfyUIBackend
from backends.comfyui.news.following import ComfyPace
from generation.job import Progress
from generation.request import GenerationRequest
from tests.engines.comfyui_server import ComfyUIServer

QUICK = ComfyPace(poll_s=0.02, check_s=0.5, report_s=0.005, open_s=1.0, patience_s=0.2, backoff_s=0.01, accept_s=1.0)


def connect(server: ComfyUIServer | str, pace: ComfyPace = QUICK, **changes: Any) -> ComfyUIBackend:
    url = server if isinstance(server, str) else server.url
    values: dict[str, Any] = {"name": "gpu1", "kind": "comfyui", "label": "The GPU", "url": url, "timeout_s": 5.0}
    return ComfyUIBackend(BackendConfig(**(values | changes)), pace=pace)


def make_request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 7.0, "seed": 812,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))


async def ignore(_: Progress) -> None:
    pass
