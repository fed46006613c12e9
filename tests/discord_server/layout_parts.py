"""The parts of a layout: all components, the files they show, their words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TEXT = 10


def walk(components: Any) -> Iterator[dict[str, Any]]:
    """Yield all components, those inside others as well."""
    for item in components or ():
        yield item
        yield from walk(item.get("components"))
        if item.get("accessory"):
            yield item["accessory"]


def named_files(components: Any) -> set[str]:
    """Return the names of the uploads that a layout shows."""
    links = []
    for item in walk(components):
        links += [media["media"]["url"] for media in item.get("items") or ()]
        links += [part["url"] for part in (item.get("file"), item.get("media")) if part]
    return {link.removeprefix("attachment://") for link in links if link.startswith("attachment://")}


def texts_in(components: Any) -> str:
    return "\n".join(item["content"] for item in walk(components) if item.get("type") == TEXT)


def galleries_in(components: Any) -> list[tuple[str, str]]:
    """Return the pictures that a layout shows: the name of each file, and its description."""
    items = [item for part in walk(components) for item in part.get("items") or ()]
    return [(item["media"]["url"].removeprefix("attachment://"), item.get("description") or "") for item in items]


def relink(value: Any, links: dict[str, str]) -> Any:
    """Return components or embeds as a client receives them: `attachment://` has become a link."""
    if isinstance(value, dict):
        return {key: relink(inner, links) for key, inner in value.items()}
    if isinstance(value, list):
        return [relink(inner, links) for inner in value]
    return links.get(value, value) if isinstance(value, str) else value
