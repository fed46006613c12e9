"""Recorded exchanges with a real AI Horde and a real AI Power Grid, replayed in order by call and path."""

import json
from pathlib import Path
from typing import Any

import httpx

DATA = Path(__file__).parents[1] / "data" / "horde"


def exchanges(name: str, method: str = "", part: str = "") -> list[dict[str, Any]]:
    every = json.loads((DATA / f"{name}.json").read_text())["exchanges"]
    return [one for one in every if method in one["method"] and part in one["path"]]


def response(exchange: dict[str, Any]) -> httpx.Response:
    return httpx.Response(exchange["status"], json=exchange["body"], headers=exchange["headers"])


def noted(name: str, note: str) -> httpx.Response:
    return response(next(one for one in exchanges(name) if note in one["note"]))


class Replay:
    """Answers in the recorded order; the last answer stays."""

    def __init__(self, name: str, method: str, part: str) -> None:
        self._left = [response(one) for one in exchanges(name, method, part)]

    def __call__(self, _: httpx.Request) -> httpx.Response:
        kept = self._left[0] if len(self._left) == 1 else self._left.pop(0)
        return httpx.Response(kept.status_code, content=kept.content, headers=kept.headers)
