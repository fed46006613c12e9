"""SD.Next: the same routes in its own manner. Known from its source, not recorded."""

import json
from typing import Any

import pytest
import respx

from backends.a1111.backend import A1111Backend
from backends.a1111.progress import A1111Pace, TaskWatch
from backends.base import BackendConfig
from generation.errors import RateLimited, RequestRejected
from generation.request import HiresFix, Mode
from net.calls import Calls
from net.client import make_client
from tests.backends.test_a1111_jobs import _ignore, request

URL = "http://gpu.example.com:7860"
API = f"{URL}/sdapi/v1"
SCHEMA = {
    "paths": {f"/sdapi/v1/{name}": {} for name in ("txt2img", "img2img", "version", "extra-single-image", "control")},
    "components": {"schemas": {"ReqTxt2Img": {"properties": {"hr_force": {}}}}},
}
LISTS: dict[str, Any] = {
    "sd-models": [{"title": "dream [aa]", "model_name": "dream", "hash": "aa"}],
    "samplers": [{"name": "Default", "aliases": []}, {"name": "DPM++ 2M", "aliases": ["dpmpp_2m"]}],
    "upscalers": [{"name": "None"}, {"name": "RealESRGAN 4x+", "model_path": "/models/x.pth"}],
    "options": {"sd_model_checkpoint": "dream [aa]", "sd_vae": "Automatic"},
}
IDLE = {"id": "", "progress": 0, "eta_relative": 0, "state": {"job": "", "job_count": 0}}


def connect(mock: respx.MockRouter) -> A1111Backend:
    mock.get(f"{URL}/openapi.json").respond(json=SCHEMA)
    for name, value in LISTS.items():
        mock.get(f"{API}/{name}").respond(json=value)
    mock.get(url__startswith=f"{API}/progress").respond(json=IDLE)
    mock.get(url__startswith=URL).respond(404, json={"detail": "Not Found"})
    config = BackendConfig(name="gpu1", kind="a1111", label="The GPU", url=URL, timeout_s=5.0)
    return A1111Backend(config, pace=A1111Pace(poll_s=0.005, cancel_poll_s=0.005, cancel_wait_s=0.05, unknown_s=0.05))


async def test_only_what_the_fork_has_is_sent_and_offered() -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = connect(mock)
        drawing = mock.post(f"{API}/txt2img").respond(429, headers={"Retry-After": "9"}, json={"error": "rate limit"})
        can = await backend.capabilities()
        assert Mode.UPSCALE in can.modes
        assert (can.control_kinds, can.supports_describe, can.lines_up) == ((), False, False)
        with pytest.raises(RateLimited) as caught:
            await backend.generate(request(hires=HiresFix()), _ignore)
        assert caught.value.retry_after == 9.0
        sent = json.loads(drawing.calls.last.request.content)
        assert "force_task_id" not in sent
        assert (sent["hr_force"], sent["hr_upscaler"]) == (True, "RealESRGAN 4x+")
        assert "CLIP_stop_at_last_layers" not in sent["override_settings"]  # not among its options
        await backend.aclose()


async def test_an_error_body_of_its_own_is_a_refusal() -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = connect(mock)
        mock.post(f"{API}/txt2img").respond(400, json={"error": "Init image is none"})
        with pytest.raises(RequestRejected) as caught:
            await backend.generate(request(), _ignore)
        assert "Init image is none" in caught.value.detail
        await backend.aclose()


async def test_interrupt_answered_with_an_empty_204_has_worked() -> None:
    with respx.mock() as mock:
        mock.post(f"{API}/interrupt").respond(204)
        async with make_client(BackendConfig(name="x", kind="a1111", url=URL).endpoint) as client:
            assert await TaskWatch(Calls("x", client), A1111Pace()).interrupt()
