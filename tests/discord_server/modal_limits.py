"""The limits of forms: labels with text, menus, files, radio buttons and checkboxes.

Source: "Component Reference" of the official documentation.
"""

from __future__ import annotations

from typing import Any

from tests.discord_server.errors import Problem
from tests.discord_server.limits import LABEL, ROW, SELECTS, TEXT_INPUT, check_select, length, required

TEXT_DISPLAY, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 10, 19, 21, 22, 23
IN_A_LABEL = (TEXT_INPUT, *SELECTS, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX)


def check_modal(modal: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    required(problems, "data.title", modal.get("title"), 45)
    required(problems, "data.custom_id", modal.get("custom_id"), 100)
    rows = modal.get("components") or []
    length(problems, "data.components", rows, 5, 1)
    seen: list[str] = []
    for index, row in enumerate(rows):
        where, kind = f"data.components.{index}", row.get("type")
        if kind == TEXT_DISPLAY:
            required(problems, f"{where}.content", row.get("content"), 4000)
        elif kind == LABEL:
            required(problems, f"{where}.label", row.get("label"), 45)
            length(problems, f"{where}.description", row.get("description"), 100, 1)
            _check_field(problems, f"{where}.component", row.get("component") or {}, seen)
        elif kind == ROW:
            _check_row(problems, where, row.get("components") or [], seen)
        else:
            problems.append((f"{where}.type", "UNION_TYPE_CHOICES", "Must be one of (1, 10, 18)."))
    if len(set(seen)) != len(seen):
        problems.append(
            ("data.components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        )
    return problems


def _check_row(problems: list[Problem], where: str, inner: list[dict[str, Any]], seen: list[str]) -> None:
    if len(inner) != 1:
        problems.append((where, "BASE_TYPE_BAD_LENGTH", "Must be 1 in length."))
    for number, item in enumerate(inner):
        at = f"{where}.components.{number}"
        seen.append(str(item.get("custom_id")))
        if item.get("type") == TEXT_INPUT:
            _check_text_input(problems, at, item, needs_label=True)
        else:
            problems.append((f"{at}.type", "UNION_TYPE_CHOICES", "Only text inputs stand in the row of a modal"))


def _check_field(problems: list[Problem], at: str, item: dict[str, Any], seen: list[str]) -> None:
    kind = item.get("type")
    seen.append(str(item.get("custom_id")))
    if kind not in IN_A_LABEL:
        problems.append((f"{at}.type", "UNION_TYPE_CHOICES", f"Must be one of {IN_A_LABEL}."))
    elif kind == TEXT_INPUT:
        _check_text_input(problems, at, item, needs_label=False)
        if item.get("label"):
            problems.append((f"{at}.label", "BASE_TYPE_BAD_LENGTH", "A text input in a label has no label of its own"))
    elif kind in SELECTS:
        check_select(problems, at, item)
    else:
        required(problems, f"{at}.custom_id", item.get("custom_id"), 100)
    if kind in SELECTS and item.get("disabled"):
        problems.append((f"{at}.disabled", "MODAL_COMPONENT_DISABLED", "Nothing in a modal is disabled"))
    if kind in (FILE_UPLOAD, CHECKBOX_GROUP):
        _check_counts(problems, at, item)
    if kind == RADIO_GROUP:
        _check_group(problems, at, item, least=2)
    if kind == CHECKBOX_GROUP:
        _check_group(problems, at, item, least=1)
    if kind == CHECKBOX and "required" in item:
        problems.append((f"{at}.required", "UNKNOWN_FIELD", "A checkbox cannot be required"))
    if kind != TEXT_INPUT and item.get("required", True) and item.get("min_values") == 0:
        problems.append((f"{at}.min_values", "NUMBER_TYPE_MIN", "What is required has at least one value"))


def _check_counts(problems: list[Problem], at: str, item: dict[str, Any]) -> None:
    least, most = item.get("min_values", 1), item.get("max_values", 1)
    if not 0 <= least <= 10 or not 1 <= most <= 10 or least > most:
        problems.append((f"{at}.max_values", "NUMBER_TYPE_MAX", "int value should be between 1 and 10."))


def _check_group(problems: list[Problem], at: str, item: dict[str, Any], *, least: int) -> None:
    options = item.get("options") or []
    length(problems, f"{at}.options", options, 10, least)
    for number, option in enumerate(options):
        required(problems, f"{at}.options.{number}.label", option.get("label"), 100)
        required(problems, f"{at}.options.{number}.value", option.get("value"), 100)
        length(problems, f"{at}.options.{number}.description", option.get("description"), 100)
    if len({option.get("value") for option in options}) != len(options):
        problems.append((f"{at}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Values are not unique"))
    if item["type"] == RADIO_GROUP and sum(bool(option.get("default")) for option in options) > 1:
        problems.append((f"{at}.options", "RADIO_GROUP_TOO_MANY_DEFAULTS", "Only one can be chosen"))


def _check_text_input(problems: list[Problem], at: str, item: dict[str, Any], *, needs_label: bool) -> None:
    required(problems, f"{at}.custom_id", item.get("custom_id"), 100)
    if needs_label:
        required(problems, f"{at}.label", item.get("label"), 45)
    length(problems, f"{at}.placeholder", item.get("placeholder"), 100)
    most = item.get("max_length") or 4000
    length(problems, f"{at}.value", item.get("value"), min(most, 4000))
    if not 1 <= most <= 4000 or not 0 <= (item.get("min_length") or 0) <= most:
        problems.append((f"{at}.max_length", "NUMBER_TYPE_MAX", "int value should be between 1 and 4000."))
    if item.get("style") not in (1, 2):
        problems.append((f"{at}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2)."))
