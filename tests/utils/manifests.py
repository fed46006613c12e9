"""Read a picture's manifest with the C2PA tool itself; the tests that need it are skipped where it is not installed."""

import io
import json
from typing import Any

import pytest
from PIL import Image

c2pa = pytest.importorskip("c2pa", reason="c2pa-python is not installed (it comes with requirements-dev.txt)")
UNKNOWN_AUTHORITY = "signingCredential.untrusted"  # all that may be said against a chain of our own making


class Manifest:
    """The manifest of a picture, as c2pa's own Reader sees it."""

    def __init__(self, data: bytes, media_type: str) -> None:
        with c2pa.Reader(media_type, io.BytesIO(data)) as reader:
            self.text = reader.json()
            self.state = reader.get_validation_state()
            results = reader.get_validation_results()
        self.failures = {failure["code"] for failure in results["activeManifest"]["failure"]} - {UNKNOWN_AUTHORITY}
        reply = json.loads(self.text)
        self.all: dict[str, Any] = reply["manifests"]
        self.own: dict[str, Any] = self.all[reply["active_manifest"]]

    @property
    def is_valid(self) -> bool:
        return self.state in ("Valid", "Trusted") and not self.failures

    @property
    def actions(self) -> list[dict[str, Any]]:
        [reply] = [
            item["data"]["actions"] for item in self.own["assertions"] if item["label"].startswith("c2pa.actions")
        ]
        return reply

    @property
    def steps(self) -> list[str]:
        return [item["action"].removeprefix("c2pa.") for item in self.actions]

    @property
    def ingredients(self) -> list[dict[str, Any]]:
        return self.own.get("ingredients", [])


def media_type_of(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        return f"image/{(image.format or '').lower()}"


def manifest_of(data: bytes) -> Manifest:
    return Manifest(data, media_type_of(data))


def is_signed(data: bytes) -> bool:
    return c2pa.Reader.try_create(media_type_of(data), io.BytesIO(data)) is not None
