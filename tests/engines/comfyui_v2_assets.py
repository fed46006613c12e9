"""The pictures of the stand-in for ComfyUI's API v2: what is put on it, and what its jobs made."""

import base64
import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.engines.comfyui_engine import Engine
from tests.engines.comfyui_server import Handler

RETENTION = timedelta(hours=24)


@dataclass
class Asset:
    id: str
    hash: str
    place: tuple[str, str, str]  # as the engine knows the file
    path: str
    size: int


@dataclass
class Proxy:
    """The memory of a proxy: gone with its process."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    assets: dict[str, Asset] = field(default_factory=dict)
    secret: str = field(default_factory=lambda: secrets.token_hex(8))
    streams: int = 0


class AssetRoutes:
    """Part of a server: `received` are the pictures that were sent to it."""

    engine: Engine
    proxy: Proxy
    received: list[bytes]

    def asset_routes(self) -> dict[str, Handler]:
        return {
            "POST /api/v2/assets": self._upload_v2,
            "POST /api/v2/assets/from-hash": self._from_hash,
            "GET /api/v2/assets/{id}/content": self._content,
            "DELETE /api/v2/assets/{id}": self._delete_asset,
        }

    async def _upload_v2(self, request: web.Request) -> web.Response:
        form = await request.post()
        file, path = form.get("file"), str(form.get("file_path", ""))
        if not isinstance(file, web.FileField):
            return refusal(422, "invalid_request", "Missing 'file' part.")
        if not path or ".." in path or ("/" in path and not path.startswith("input/")):
            return refusal(422, "invalid_request", "'file_path' is not an allowlisted placement root.")
        data = file.file.read()
        self.received.append(data)
        name = f"blake3:{hashlib.sha256(data).hexdigest()}"
        for known in self.proxy.assets.values():
            if known.hash == name:
                return web.json_response(_about(known, is_new=False))
        folder, _, last = path.removeprefix("input/").rpartition("/")
        self.engine.files["input", folder, last] = data
        asset = Asset(str(uuid.uuid4()), name, ("input", folder, last), path, len(data))
        self.proxy.assets[asset.id] = asset
        return web.json_response(_about(asset, is_new=True), status=201)

    async def _from_hash(self, request: web.Request) -> web.Response:
        wanted = (await request.json()).get("hash")
        for asset in self.proxy.assets.values():
            if asset.hash == wanted:
                return web.json_response(_about(asset, is_new=False))
        return refusal(404, "blob_not_found", "No blob the caller may mint from.")

    async def _content(self, request: web.Request) -> web.Response:
        made, _, secret = request.match_info["id"].partition(".")
        if secret != self.proxy.secret:
            return refusal(404, "not_found", "Unknown asset id.")
        place = json.loads(base64.urlsafe_b64decode(made + "=" * (-len(made) % 4)))
        data = self.engine.files.get((place["t"], place["s"], place["f"]))
        if data is None:
            return refusal(404, "output_unavailable", "Output bytes are no longer retrievable upstream.")
        return web.Response(body=data, content_type="image/png")

    async def _delete_asset(self, request: web.Request) -> web.Response:
        gone = self.proxy.assets.pop(request.match_info["id"], None)
        return web.Response(status=204) if gone else refusal(404, "not_found", "Unknown asset id.")


def _about(asset: Asset, *, is_new: bool) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": asset.id, "hash": asset.hash, "size_bytes": asset.size, "content_type": "image/png",
        "file_path": asset.path, "created_at": now.isoformat(), "url": f"http://127.0.0.1:8189/api/v2/assets/{asset.id}/content",
        "url_expires_at": (now + RETENTION).isoformat(), "created_new": is_new,
    }  # fmt: skip


def refusal(status: int, code: str, message: str, **details: Any) -> web.Response:
    """Return an answer as every one is that is no success."""
    body = {"error": {"code": code, "message": message, "details": details or None}}
    return web.json_response(body, status=status)
