"""Refusals in Discord's own words, and the record of what the bot did wrong.

Source: "Opcodes and Status Codes" of the official documentation; codes and texts are Discord's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Problem = tuple[str, str, str]
"""Where in the body (dotted path), Discord's error code, message."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing the bot must never do."""

    method: str
    path: str
    rule: str
    detail: str


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, status: int, code: int, message: str, errors: dict[str, Any] | None = None, *, violation: bool = False
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.violation = violation

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        return body | {"errors": self.errors} if self.errors else body


def invalid_form(problems: list[Problem]) -> ApiError:
    """Nest the problems the way Discord does: errors.embeds.0.title._errors[]."""
    tree: dict[str, Any] = {}
    for where, code, message in problems:
        node = tree
        for step in where.split("."):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    return ApiError(400, 50035, "Invalid Form Body", tree)


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def dms_closed() -> ApiError:
    return ApiError(403, 50007, "Cannot send messages to this user")


def unknown_channel() -> ApiError:
    return ApiError(404, 10003, "Unknown Channel")


def unknown_message() -> ApiError:
    return ApiError(404, 10008, "Unknown Message")


def unknown_guild() -> ApiError:
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    return ApiError(404, 10007, "Unknown Member")


def unknown_user() -> ApiError:
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    return ApiError(404, 10063, "Unknown application command")


def already_acknowledged() -> ApiError:
    return ApiError(400, 40060, "Interaction has already been acknowledged.", violation=True)


def invalid_webhook_token() -> ApiError:
    return ApiError(401, 50027, "Invalid Webhook Token")


def empty_message() -> ApiError:
    return ApiError(400, 50006, "Cannot send an empty message", violation=True)


def not_the_author() -> ApiError:
    return ApiError(403, 50005, "Cannot edit a message authored by another user", violation=True)


def too_large() -> ApiError:
    return ApiError(413, 40005, "Request entity too large", violation=True)
