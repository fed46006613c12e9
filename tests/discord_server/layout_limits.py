"""The limits of layouts (Components V2): what may stand where, and how much text a message takes.

Source: "Component Reference" of the official documentation; the bound on bytes is what the service does beside it.
"""

from __future__ import annotations

from typing import Any

from tests.discord_server.errors import ApiError, Problem
from tests.discord_server.layout_parts import TEXT, walk
from tests.discord_server.limits import BUTTON, ROW, check_components, length, required

SECTION, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 11, 12, 13, 14, 17
INSIDE = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR)
MAX_COMPONENTS, MAX_CHARS, MAX_BYTES, BYTES_OF_A_TEXT = 40, 4000, 10_170, 12


def check_layout(problems: list[Problem], components: list[dict[str, Any]]) -> None:
    every = list(walk(components))
    length(problems, "components", every, MAX_COMPONENTS, 1)
    for index, item in enumerate(components):
        if item.get("type") not in (*INSIDE, CONTAINER):
            problems.append((f"components.{index}.type", "UNION_TYPE_CHOICES", "Not a top-level component"))
        _check(problems, f"components.{index}", item)
    ids = [item["custom_id"] for item in every if item.get("custom_id")]
    if len(set(ids)) != len(ids):
        problems.append(("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"))
    texts = [str(item.get("content") or "") for item in every if item.get("type") == TEXT]
    if sum(map(len, texts)) > MAX_CHARS:
        problems.append(("components", "COMPONENT_MAX_TEXT_LENGTH", "Text must be 4000 or fewer in length."))
    if sum(len(text.encode()) + BYTES_OF_A_TEXT for text in texts) > MAX_BYTES:
        raise ApiError(500, 0, "Internal Server Error", violation=True)


def _check(problems: list[Problem], where: str, item: dict[str, Any]) -> None:
    kind = item.get("type")
    if kind == CONTAINER:
        inner = item.get("components") or []
        length(problems, f"{where}.components", inner, MAX_COMPONENTS, 1)
        for index, part in enumerate(inner):
            at = f"{where}.components.{index}"
            if part.get("type") not in INSIDE:
                problems.append((f"{at}.type", "UNION_TYPE_CHOICES", f"Must be one of {INSIDE}."))
            _check(problems, at, part)
    elif kind == ROW:
        check_components(problems, where, [item])
    elif kind == TEXT:
        required(problems, f"{where}.content", item.get("content"), MAX_CHARS)
    elif kind == GALLERY:
        items = item.get("items") or []
        length(problems, f"{where}.items", items, 10, 1)
        for index, media in enumerate(items):
            length(problems, f"{where}.items.{index}.description", media.get("description"), 1024, 1)
            _check_media(problems, f"{where}.items.{index}.media", media.get("media"))
    elif kind == FILE:
        _check_media(problems, f"{where}.file", item.get("file"), needs_attachment=True)
    elif kind == SECTION:
        _check_section(problems, where, item)


def _check_section(problems: list[Problem], where: str, item: dict[str, Any]) -> None:
    texts, accessory = item.get("components") or [], item.get("accessory") or {}
    length(problems, f"{where}.components", texts, 3, 1)
    for index, part in enumerate(texts):
        if part.get("type") != TEXT:
            problems.append((f"{where}.components.{index}.type", "UNION_TYPE_CHOICES", "Must be one of (10,)."))
    if accessory.get("type") not in (BUTTON, THUMBNAIL):
        problems.append((f"{where}.accessory", "BASE_TYPE_REQUIRED", "This field is required"))


def _check_media(problems: list[Problem], where: str, media: Any, *, needs_attachment: bool = False) -> None:
    url = str((media or {}).get("url") or "")
    schemes = ("attachment://",) if needs_attachment else ("attachment://", "http://", "https://")
    if not url.startswith(schemes):
        problems.append((f"{where}.url", "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of {schemes}."))
