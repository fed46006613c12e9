"""Work of Discord's own client between a form and its answer: what may be filled in, and the shape it is sent in.

Source: "Modal Submit Data" and the response structures of "Component Reference" of the official documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.discord_server.interaction import Modal
from tests.discord_server.limits import LABEL, ROW, SELECTS, STRING_SELECT, TEXT_INPUT
from tests.discord_server.modal_limits import CHECKBOX, CHECKBOX_GROUP, FILE_UPLOAD, RADIO_GROUP
from tests.discord_server.slash import NotPossible, OptionData

if TYPE_CHECKING:
    from tests.discord_server.user import User


class Filling:
    """One form as a person fills it in."""

    def __init__(self, user: User, modal: Modal, values: dict[str, Any]) -> None:
        self._modal = modal
        self._given = values
        self._options = OptionData(user, modal.interaction.channel)

    @property
    def resolved(self) -> dict[str, dict[str, Any]]:
        return self._options.resolved

    def components(self) -> list[dict[str, Any]]:
        """Return the answers in the shape of the form."""
        rows = [self._row(row) for row in self._modal.components]
        if self._given:
            raise NotPossible(f"no fields {sorted(self._given)}; there are {sorted(self._modal.fields)}")
        return rows

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        if row["type"] == ROW:
            return {"type": ROW, "components": [self._answer(item, item.get("label")) for item in row["components"]]}
        if row["type"] == LABEL:
            return {"type": LABEL, "id": 1, "component": self._answer(row["component"], row["label"])}
        return {"type": row["type"], "id": 1}

    def _answer(self, item: dict[str, Any], label: str | None) -> dict[str, Any]:
        kind, name = item["type"], label or item["custom_id"]
        value = self._given.pop(item["custom_id"], self._given.pop(label or "", None))
        answer = {"type": kind, "custom_id": item["custom_id"]}
        if kind == TEXT_INPUT:
            return answer | {"value": _text(item, name, value)}
        if kind == CHECKBOX:
            return answer | {"value": bool(item.get("default") if value is None else value)}
        if kind == FILE_UPLOAD:
            files = [value] if isinstance(value, tuple) else list(value or ())
            return answer | {"values": _counted(item, name, [self._options._resolve_file(file) for file in files])}
        if kind == RADIO_GROUP:
            chosen = _counted(item | {"max_values": 1}, name, _offered(item, name, value))
            return answer | {"value": chosen[0] if chosen else None}
        if kind in (STRING_SELECT, CHECKBOX_GROUP):
            return answer | {"values": _counted(item, name, _offered(item, name, value))}
        assert kind in SELECTS, "nothing else stands in a form"
        defaults = [str(entry["id"]) for entry in item.get("default_values") or []]
        picked = defaults if value is None else [str(getattr(entry, "id", entry)) for entry in value]
        return answer | {"values": _counted(item, name, picked)}


def _text(item: dict[str, Any], name: str, value: Any) -> str:
    text = str((item.get("value") or "") if value is None else value)
    if item.get("required", True) and not text:
        raise NotPossible(f"{name!r} is required")
    if text and not (item.get("min_length") or 0) <= len(text) <= (item.get("max_length") or 4000):
        raise NotPossible(f"{name!r} has {len(text)} characters")
    return text


def _offered(item: dict[str, Any], name: str, value: Any) -> list[str]:
    """Return the values of the options that are meant by their labels or values; unsaid: the defaults."""
    options = item["options"]
    if value is None:
        return [option["value"] for option in options if option.get("default")]
    wanted: Sequence[str] = [value] if isinstance(value, str) else list(value)
    by_text = {text: option["value"] for option in options for text in (option["label"], option["value"])}
    if not set(wanted) <= set(by_text):
        raise NotPossible(f"{name!r} offers {[option['label'] for option in options]}")
    return [by_text[text] for text in wanted]


def _counted(item: dict[str, Any], name: str, values: list[str]) -> list[str]:
    least = item.get("min_values", 1) if item.get("required", True) else 0
    most = item.get("max_values", 1)
    if not least <= len(values) <= most:
        raise NotPossible(f"{name!r} takes {least} to {most}, not {len(values)}")
    return values
