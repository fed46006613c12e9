"""The recorded first answers of the products that people run, as routes for `tests.net.servers.serve`."""

import json
from pathlib import Path

from aiohttp import web

from tests.net.servers import Handler

DATA = Path(__file__).parent.parent / "data" / "probe"
MODELS = [{"title": "tinyA.safetensors [fa104ee0d1]", "model_name": "tinyA"}, {"title": "tinyB", "model_name": "tinyB"}]


def recorded(name: str) -> object:
    return json.loads((DATA / f"{name}.json").read_text())


def answer(value: object, status: int = 200) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(value, status=status)

    return handle


def page(text: str = "<!doctype html><title>x</title>", status: int = 200) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="text/html")

    return handle


def a1111(schema: str = "openapi-a1111") -> dict[str, Handler]:
    return {
        "/": page(),
        "/openapi.json": answer(recorded(schema)),
        "/sdapi/v1/sd-models": answer(MODELS),
    }


def a1111_without_api(schema: str = "openapi-a1111") -> dict[str, Handler]:
    """Return what A1111 serves without --api: its page and gradio's routes, 404 on every /sdapi path."""
    document = recorded(schema)
    document["paths"] = {path: {} for path in document["paths"] if not path.startswith("/sdapi")}
    return {"/": page(), "/openapi.json": answer(document), "/config": answer(recorded("config-gradio4"))}


def comfyui() -> dict[str, Handler]:
    return {"/": page(), "/system_stats": answer(recorded("system_stats"))}


def gradio(config: str = "config-gradio5") -> dict[str, Handler]:
    return {"/": page(), "/config": answer(recorded(config))}
