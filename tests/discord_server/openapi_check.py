"""Holds request bodies against Discord's official OpenAPI document, where it lies beside the checkout.

Tolerated, because the service takes it: snowflakes as numbers, `default_member_permissions` as text. Fields the
document does not know pass, as they do on Discord.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry

DOCUMENT = Path(__file__).resolve().parents[2].parent / "shared" / "contracts" / "discord" / "openapi.json"
_URI = "urn:discord"


def is_present() -> bool:
    return DOCUMENT.is_file()


def known_routes() -> set[tuple[str, str]]:
    """List method and path template of everything the document describes."""
    return {(method.upper(), path) for path, item in _document()["paths"].items() for method in item}


def check(method: str, template: str, body: Any, *, multipart: bool = False) -> list[str]:
    """Name what the document has against this body; empty when it is fine or the document is absent."""
    validator = _validator(method.lower(), template, multipart) if is_present() else None
    if validator is None or validator.is_valid(body):
        return []
    return [_describe(error) for error in validator.iter_errors(body)]


def _describe(error: Any) -> str:
    """Take the deepest reason of a failed union: the top one only says that no variant fits."""
    while context := [inner for variant in getattr(error.kind, "context", ()) for inner in variant]:
        error = max(context, key=lambda inner: len(inner.instance_path))
    where = ".".join(str(step) for step in error.instance_path)
    return f"{where}: {error.message[:200]}"


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return _loosen(document)


@cache
def _registry() -> Registry:
    return Registry([(_URI, _document())], draft=Draft202012)


@cache
def _validator(method: str, template: str, multipart: bool) -> Draft202012Validator | None:
    content = _document()["paths"].get(template, {}).get(method, {}).get("requestBody", {}).get("content", {})
    kind = "multipart/form-data" if multipart and "multipart/form-data" in content else "application/json"
    if kind not in content:
        return None
    pointer = "/".join(
        step.replace("~", "~0").replace("/", "~1")
        for step in ("paths", template, method, "requestBody", "content", kind, "schema")
    )
    return Draft202012Validator({"$ref": f"{_URI}#/{quote(pointer)}"}, registry=_registry())


def _loosen(node: Any) -> Any:
    if isinstance(node, list):
        return [_loosen(item) for item in node]
    if not isinstance(node, dict):
        return node
    loose = {("anyOf" if key == "oneOf" else key): _loosen(value) for key, value in node.items()}
    if loose.get("format") == "snowflake" or loose.get("pattern") == "^(0|[1-9][0-9]*)$":
        return {"type": ["string", "integer"]}
    permissions = loose.get("default_member_permissions")
    if isinstance(permissions, dict):
        loose["default_member_permissions"] = {"type": ["string", "integer", "null"]}
    return loose
