"""Work of the stand-in beside drawing: upscaling, describing, ControlNet, hires fix, styles and their lists.

Source: recorded answers in `tests/data/a1111` and `tests/data/forge`, and the measurements they came from.
"""

import base64
import binascii
import io
from typing import Any

from aiohttp import web
from PIL import Image

from tests.engines.a1111_engine import Engine, Failed, Job, draw, recorded

API = "/sdapi/v1"
CAPTION = "a red fox in the snow, by Carl Larsson"


class Extras:
    """The routes around one engine; a test may change every list."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.family = engine.family
        self.upscalers = recorded(self.family, "get-upscalers")
        self.latent_modes = recorded(self.family, "get-latent-upscale-modes")
        self.styles = recorded(self.family, "get-prompt-styles")
        self.embeddings = recorded(self.family, "get-embeddings")
        self.scripts = recorded(self.family, "get-scripts")
        self.control_models: list[str] = []  # Forge without any: every kind lists "None" only
        self.upscaled: list[dict[str, Any]] = []
        self.caption = CAPTION
        engine.check = self.check
        engine.control_maps = control_maps

    def lists(self) -> dict[str, Any]:
        return {
            "upscalers": self.upscalers,
            "latent-upscale-modes": self.latent_modes,
            "prompt-styles": self.styles,
            "embeddings": self.embeddings,
            "scripts": self.scripts,
        }

    def routes(self) -> list[web.RouteDef]:
        names = list(self.lists())
        routes = [web.get(f"{API}/{name}", self._list(name)) for name in names]
        routes.append(web.post(f"{API}/extra-single-image", self._upscale))
        routes.append(web.post(f"{API}/interrogate", self._interrogate))
        if self.family == "forge":
            routes.append(web.get("/controlnet/control_types", self._control_types))
        return routes

    def _list(self, name: str) -> Any:
        async def handle(_: web.Request) -> web.Response:
            return web.json_response(self.lists()[name])

        return handle

    def check(self, mode: str, body: dict[str, Any]) -> None:
        """Raise what the server raises of a request before it draws anything."""
        for name in body.get("alwayson_scripts") or {}:
            if name.casefold() not in self.scripts[mode]:
                raise Failed("HTTPException", f"Script '{name}' not found", 422, is_http=True)
        if not body.get("enable_hr"):
            return
        if self.family == "forge" and body.get("hr_additional_modules") is None:
            raise Failed("TypeError", "argument of type 'NoneType' is not iterable")
        known = {item["name"] for item in (*self.upscalers, *self.latent_modes)}
        if body.get("hr_upscaler") and body["hr_upscaler"] not in known:
            raise Failed("Exception", f"could not find upscaler named {body['hr_upscaler']}")

    async def _upscale(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.upscaled.append(body)
        source = _opened(body.get("image", ""))
        name = body.get("upscaler_1", "None")
        if name not in {item["name"] for item in self.upscalers}:
            raise Failed("AssertionError", f"could not find upscaler named {name}")
        engine = self.engine
        async with engine.lock:
            engine.job, engine.is_interrupted = Job(id="extras", mode="extras", body={"steps": 1}), False
            try:
                await engine.sample(engine.job)
            finally:
                engine.job = None
        if engine.is_interrupted:
            engine.interrupted.append("extras")
        factor = float(body.get("upscaling_resize", 2))
        # "None" leaves the picture's own pixels: here as there it is not an error, only useless
        sides = (round(source.width * factor), round(source.height * factor))
        out = io.BytesIO()
        source.resize(sides, Image.Resampling.LANCZOS).save(out, "PNG")
        info = f"<p>Postprocess upscale by: {factor}, Postprocess upscaler: {name}</p>"
        return web.json_response({"html_info": info, "image": base64.b64encode(out.getvalue()).decode()})

    async def _interrogate(self, request: web.Request) -> web.Response:
        body = await request.json()
        _opened(body.get("image", ""))
        if body.get("model") not in {"clip", "deepdanbooru"}:
            raise Failed("HTTPException", "Model not found", 404, is_http=True)
        return web.json_response({"caption": self.caption})

    async def _control_types(self, _: web.Request) -> web.Response:
        """List each model under every kind its name holds, as the real one does."""
        types = recorded("forge", "get-controlnet-control_types")["control_types"]
        for label, each in types.items():
            own = [model for model in self.control_models if label == "All" or label.casefold() in model]
            each["model_list"] = ["None", *own]
            each["default_model"] = own[0] if own else "None"
        return web.json_response({"control_types": types})


def control_maps(body: dict[str, Any], family: str) -> list[bytes]:
    """Return what ControlNet's units append after the pictures, asked for or not."""
    scripts = {name.casefold(): script for name, script in (body.get("alwayson_scripts") or {}).items()}
    units = scripts.get("controlnet", {}).get("args", [])
    on_by_default = family == "forge"
    return [draw(64, 64, 0, "") for unit in units if unit.get("enabled", on_by_default)]


def _opened(text: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(text.split(",")[-1], validate=True)))
        picture.load()
    except (OSError, binascii.Error) as error:
        raise Failed("HTTPException", "Invalid encoded image", is_http=True) from error
    return picture
