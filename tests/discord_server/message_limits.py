"""The limits of messages: those of layouts once it has the flag, else those of classic messages."""

from __future__ import annotations

from typing import Any

from tests.discord_server import limits
from tests.discord_server.errors import Problem
from tests.discord_server.layout_limits import check_layout
from tests.discord_server.model import COMPONENTS_V2

LEGACY = ("content", "embeds", "poll", "sticker_ids")


def check_message(body: dict[str, Any], flags: int = 0) -> list[Problem]:
    """Check a message as it is created, or edited: `flags` are those that it has already."""
    if not ((body.get("flags") or 0) | flags) & COMPONENTS_V2:
        return limits.check_message(body)
    problems: list[Problem] = []
    if any(body.get(name) for name in LEGACY):
        problems.append(("flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "No content or embeds"))
    if "components" in body or not flags & COMPONENTS_V2:
        check_layout(problems, body.get("components") or [])
    limits.check_rest(problems, body)
    return problems
