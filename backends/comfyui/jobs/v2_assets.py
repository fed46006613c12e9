"""Pictures on a server that speaks ComfyUI's API v2: known to it by the hash of their bytes.

Source: recorded answers of comfy-api-proxy 0.1.6 (`tests/data/comfyui/v2`). The hash is BLAKE3, which Python cannot
work out by itself; the server tells it of what was sent, so a picture is sent once for as long as Easel runs.
"""

from collections import OrderedDict
from typing import Any, Final
from urllib.parse import quote

from backends.comfyui.answers import UPLOAD_FOLDER
from backends.comfyui.client import BRIEF_TIMEOUT_S, upload_name
from backends.comfyui.errors import upload_refused
from backends.comfyui.graphs.graph import Graph, inputs_of
from backends.comfyui.jobs.v2_answers import Asset, code_of
from generation.request import SourceImage
from net.calls import Calls

ASSETS: Final = "/api/v2/assets"
MAX_KNOWN: Final = 1000
MARK: Final = "core/ASSET "  # before the id of a picture, in a graph that has not been sent yet


class Assets:
    """The pictures that one server was given."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._label = calls.label
        self._hashes: OrderedDict[str, str] = OrderedDict()  # the server's of a picture, by our own
        self._pictures: OrderedDict[str, str] = OrderedDict()  # our own hash of a picture, by the server's id

    async def put(self, image: SourceImage) -> str:
        """Send a picture, unless the server has it; return what stands for it in a graph."""
        name, kind = upload_name(image)
        place = f"input/{UPLOAD_FOLDER}/{name}"
        asset = await self._known(image, place)
        if asset is None:
            files = {"file": (name, image.data, kind)}
            values = {"file_path": place, "content_type": kind}
            reply = await self._calls.call("POST", ASSETS, files=files, data=values)
            if reply.status in {404, 405}:
                raise self._calls.refused(reply)
            if not reply.is_success:
                raise upload_refused(self._label, reply)
            asset = await self._calls.as_kind(Asset, reply.body)
        if asset.hash:
            _keep(self._hashes, image.media_id, asset.hash)
        _keep(self._pictures, asset.id, image.media_id)
        return f"{MARK}{asset.id}"

    def put_into(self, graph: Graph) -> dict[str, Any]:
        """Return a graph with what stands for our pictures as the API wants it."""

        def named(value: Any) -> Any:
            ours = self._ours(value)
            return {"__type": "core/ASSET", "info": {"id": ours}} if ours else value

        return {
            node: {**about, "inputs": {name: named(value) for name, value in inputs_of(graph, node).items()}}
            for node, about in graph.items()
        }

    async def forget(self, graph: Graph) -> bool:
        """Let the server forget the pictures of a graph, and say whether there are any.

        Their files are gone from ComfyUI's folder: it would go on to say that it has them, and never be sent them.
        """
        values = [value for node in graph for value in inputs_of(graph, node).values()]
        lost = [ours for value in values if (ours := self._ours(value))]
        for asset in dict.fromkeys(lost):
            self._hashes.pop(self._pictures.pop(asset), None)
            await self._calls.call("DELETE", f"{ASSETS}/{quote(asset, safe='')}", timeout=BRIEF_TIMEOUT_S)
        return bool(lost)

    def _ours(self, value: Any) -> str:
        """Return the id of a picture that a value stands for, empty if for none: people can write anything."""
        asset = value.removeprefix(MARK) if isinstance(value, str) and value.startswith(MARK) else ""
        return asset if asset in self._pictures else ""

    async def _known(self, image: SourceImage, place: str) -> Asset | None:
        words = self._hashes.get(image.media_id)
        if words is None:
            return None
        reply = await self._calls.call("POST", f"{ASSETS}/from-hash", json={"hash": words, "file_path": place})
        if not reply.is_success and code_of(reply.body) != "blob_not_found":
            raise self._calls.refused(reply)
        return await self._calls.as_kind(Asset, reply.body) if reply.is_success else None


def _keep(kept: OrderedDict[str, str], key: str, value: str) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MAX_KNOWN:
        kept.popitem(last=False)
