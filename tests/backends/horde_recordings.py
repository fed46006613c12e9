"""Recorded exchanges with a real AI Horde and a real AI Power Grid, and a Horde that replays them in order."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from backends.ai_horde.backend import AiHordeBackend, HordePace
from backends.base import BackendConfig
from generation.errors import GenerationError
from generation.job import Progress
from generation.request import GenerationRequest, SourceImage
from generation.result import GenerationResult
from tests.engines.listener import draw

DATA = Path(__file__).parents[1] / "data" / "horde"
URL = "http://horde.lan"
API = f"{URL}/api/v2"
SOURCE = SourceImage(media_id="a", data=b"not looked at", width=64, height=64)


@cache
def _recorded(name: str) -> list[dict[str, Any]]:
    return list(json.loads((DATA / f"{name}.json").read_text())["exchanges"])


def exchanges(name: str, method: str = "", part: str = "") -> list[dict[str, Any]]:
    return [item for item in _recorded(name) if method in item["method"] and part in item["path"]]


def response(exchange: dict[str, Any]) -> httpx.Response:
    return httpx.Response(exchange["status"], json=exchange["body"], headers=exchange["headers"])


def noted(name: str, note: str) -> httpx.Response:
    return response(next(item for item in exchanges(name) if note in item["note"]))


class Replay:
    """Answers in the recorded order; the last answer stays."""

    def __init__(self, name: str, method: str, part: str) -> None:
        self._left = [response(item) for item in exchanges(name, method, part)]

    def __call__(self, _: httpx.Request) -> httpx.Response:
        kept = self._left[0] if len(self._left) == 1 else self._left.pop(0)
        return httpx.Response(kept.status_code, content=kept.content, headers=kept.headers)


class Horde:
    """A Horde that answers as one recording did."""

    def __init__(self, mock: respx.MockRouter, **config: Any) -> None:
        self.mock = mock
        mock.get(url__startswith=f"{API}/status/models").mock(
            side_effect=Replay("12_status_endpoints", "GET", "/status/models?type=image&min")
        )
        mock.get(f"{API}/status/modes").mock(side_effect=Replay("12_status_endpoints", "GET", "/status/modes"))
        mock.get(f"{API}/find_user").mock(return_value=noted("10_auth_errors", "registered user"))
        mock.get(url__regex=r"http://127\.0\.0\.1:7804/.*").respond(content=draw(64, 64, 42))
        self.submit = mock.post(f"{API}/generate/async").mock(
            side_effect=Replay("02_txt2img_r2_registered", "POST", "/generate/async")
        )
        values: dict[str, Any] = {"name": "horde", "kind": "ai_horde", "label": "The Horde", "url": URL, "key": "mine"}
        self.backend = AiHordeBackend(BackendConfig(**(values | config)), pace=HordePace(near_s=0.001, far_s=0.001))

    def plays(self, name: str) -> None:
        if exchanges(name, "POST", "/generate/async"):
            self.submit.mock(side_effect=Replay(name, "POST", "/generate/async"))
        for method, part in (("GET", "check"), ("GET", "status"), ("DELETE", "status")):
            self.mock.route(method=method, url__startswith=f"{API}/generate/{part}/").mock(
                side_effect=Replay(name, method, f"/generate/{part}/")
            )

    async def generate(self, **changes: Any) -> tuple[GenerationResult, list[Progress]]:
        seen: list[Progress] = []

        async def report(progress: Progress) -> None:
            seen.append(progress)

        return await self.backend.generate(request(**changes), report), seen

    async def fails(self, **changes: Any) -> GenerationError:
        with pytest.raises(GenerationError) as caught:
            await self.generate(**changes)
        return caught.value

    def sent(self) -> dict[str, Any]:
        return dict(json.loads(self.submit.calls.last.request.content))


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 64, "height": 64, "steps": 20, "cfg_scale": 7.5, "seed": 42,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))
