"""The limits table: every body the bot sends is held against it.

Source: the prose of the official documentation (messages, embeds, components, commands, interactions), which
states more than the OpenAPI document: sums, unique ids, row layout, option order. All functions only collect.
"""

from __future__ import annotations

import re
from typing import Any

from tests.discord_server.errors import Problem

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_REQUEST_BYTES = 25 * 1024 * 1024
MAX_CONTENT = 2000
MAX_EMBED_TOTAL = 6000
COMMAND_NAME = re.compile(r"^[-_'\w]{1,32}$")
BUTTON, STRING_SELECT, TEXT_INPUT, LABEL, ROW = 2, 3, 4, 18, 1
SELECTS = (3, 5, 6, 7, 8)
SUB_COMMAND, SUB_COMMAND_GROUP = 1, 2


def length(problems: list[Problem], where: str, value: Any, most: int, least: int = 0) -> None:
    if value is None:
        return
    size = len(value)
    if size > most or size < least:
        kind = "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH"
        span = f"between {least} and {most} in length." if least else f"{most} or fewer in length."
        problems.append((where, kind, f"Must be {span}"))


def required(problems: list[Problem], where: str, value: Any, most: int, least: int = 1) -> None:
    if not isinstance(value, str):
        problems.append((where, "BASE_TYPE_REQUIRED", "This field is required"))
    else:
        length(problems, where, value, most, least)


def check_message(body: dict[str, Any]) -> list[Problem]:
    """Check a message of the classic kind as it is created or edited (also `data` of an interaction answer)."""
    problems: list[Problem] = []
    check_components(problems, "components", body.get("components") or [])
    check_rest(problems, body)
    return problems


def check_rest(problems: list[Problem], body: dict[str, Any]) -> None:
    length(problems, "content", body.get("content"), MAX_CONTENT)
    length(problems, "nonce", str(body["nonce"]) if body.get("nonce") is not None else None, 25)
    check_embeds(problems, body.get("embeds") or [])
    attachments = body.get("attachments") or []
    length(problems, "attachments", attachments, 10)
    for index, attachment in enumerate(attachments):
        length(problems, f"attachments.{index}.description", attachment.get("description"), 1024)
        length(problems, f"attachments.{index}.filename", attachment.get("filename"), 1024)


def check_embeds(problems: list[Problem], embeds: list[dict[str, Any]]) -> None:
    length(problems, "embeds", embeds, 10)
    total = 0
    for index, embed in enumerate(embeds):
        here = f"embeds.{index}"
        texts = [("title", embed.get("title"), 256), ("description", embed.get("description"), 4096)]
        texts.append(("footer.text", (embed.get("footer") or {}).get("text"), 2048))
        texts.append(("author.name", (embed.get("author") or {}).get("name"), 256))
        fields = embed.get("fields") or []
        length(problems, f"{here}.fields", fields, 25)
        for number, item in enumerate(fields):
            required(problems, f"{here}.fields.{number}.name", item.get("name"), 256)
            required(problems, f"{here}.fields.{number}.value", item.get("value"), 1024)
            total += len(item.get("name") or "") + len(item.get("value") or "")
        for name, text, most in texts:
            length(problems, f"{here}.{name}", text, most)
            total += len(text or "")
        if not 0 <= (embed.get("color") or 0) <= 0xFFFFFF:
            problems.append((f"{here}.color", "NUMBER_TYPE_MAX", "int value should be <= 16777215."))
        if not any(
            embed.get(key) for key in ("title", "description", "fields", "footer", "author", "image", "thumbnail")
        ):
            problems.append((here, "BASE_TYPE_REQUIRED", "This field is required"))
    if total > MAX_EMBED_TOTAL:
        problems.append(("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"))


def check_components(problems: list[Problem], where: str, rows: list[dict[str, Any]]) -> None:
    """Check legacy components: rows of up to five buttons or one menu."""
    length(problems, where, rows, 5)
    seen: set[str] = set()
    for index, row in enumerate(rows):
        here, items = f"{where}.{index}", row.get("components") or []
        if row.get("type") != ROW:
            problems.append((f"{here}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).'))
        menus = [item for item in items if item.get("type") in SELECTS]
        if not 1 <= len(items) <= 5 or (menus and len(items) > 1):
            problems.append(
                (f"{here}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A row is 1-5 buttons or one menu")
            )
        for number, item in enumerate(items):
            at = f"{here}.components.{number}"
            if item.get("type") == BUTTON:
                _check_button(problems, at, item)
            elif item.get("type") in SELECTS:
                check_select(problems, at, item)
            else:
                problems.append((f"{at}.type", "UNION_TYPE_CHOICES", "Not a component of a message"))
            custom_id = item.get("custom_id")
            if custom_id is not None and custom_id in seen:
                problems.append(
                    (f"{at}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
                )
            seen.add(custom_id)


def _check_button(problems: list[Problem], at: str, item: dict[str, Any]) -> None:
    style = item.get("style")
    if style not in (1, 2, 3, 4, 5):
        problems.append((f"{at}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6)."))
    if not item.get("label") and not item.get("emoji"):
        problems.append((at, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji"))
    length(problems, f"{at}.label", item.get("label"), 80)
    if style == 5:
        required(problems, f"{at}.url", item.get("url"), 512)
        if item.get("custom_id"):
            problems.append((at, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A link button has no custom id"))
    else:
        required(problems, f"{at}.custom_id", item.get("custom_id"), 100)


def check_select(problems: list[Problem], at: str, item: dict[str, Any]) -> None:
    required(problems, f"{at}.custom_id", item.get("custom_id"), 100)
    length(problems, f"{at}.placeholder", item.get("placeholder"), 150)
    least, most = item.get("min_values", 1), item.get("max_values", 1)
    if len(item.get("default_values") or []) > most:
        problems.append((f"{at}.default_values", "SELECT_DEFAULT_VALUES_TOO_MANY", "More defaults than values"))
    if not 0 <= least <= 25 or not 1 <= most <= 25 or least > most:
        problems.append((f"{at}.max_values", "NUMBER_TYPE_MAX", "int value should be between 1 and 25."))
    if item.get("type") != STRING_SELECT:
        return
    options = item.get("options") or []
    length(problems, f"{at}.options", options, 25, 1)
    if most > len(options):
        problems.append((f"{at}.max_values", "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE", "More values than options"))
    if sum(bool(option.get("default")) for option in options) > most:
        problems.append((f"{at}.options", "SELECT_DEFAULT_VALUES_TOO_MANY", "More defaults than values"))
    for number, option in enumerate(options):
        required(problems, f"{at}.options.{number}.label", option.get("label"), 100)
        required(problems, f"{at}.options.{number}.value", option.get("value"), 100)
        length(problems, f"{at}.options.{number}.description", option.get("description"), 100)
    if len({option.get("value") for option in options}) != len(options):
        problems.append(
            (f"{at}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
        )


def check_autocomplete(choices: list[dict[str, Any]]) -> list[Problem]:
    problems: list[Problem] = []
    _check_choices(problems, "data.choices", choices)
    return problems


def _check_choices(problems: list[Problem], where: str, choices: list[dict[str, Any]]) -> None:
    length(problems, where, choices, 25)
    for index, choice in enumerate(choices):
        required(problems, f"{where}.{index}.name", choice.get("name"), 100)
        if isinstance(choice.get("value"), str):
            required(problems, f"{where}.{index}.value", choice["value"], 100)


def check_command(command: dict[str, Any]) -> list[Problem]:
    """Check an application command with all its options."""
    problems: list[Problem] = []
    required(problems, "name", command.get("name"), 32)
    if command.get("type", 1) == 1:
        _check_name(problems, "name", command.get("name"))
        required(problems, "description", command.get("description"), 100)
        _check_options(problems, "options", command.get("options") or [])
    elif command.get("description"):
        problems.append(("description", "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED", "Context menus have none"))
    if _characters(command) > 8000:
        problems.append(("", "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)"))
    return problems


def _check_name(problems: list[Problem], where: str, name: Any) -> None:
    if isinstance(name, str) and (not COMMAND_NAME.match(name) or name != name.lower()):
        problems.append((where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"))


def _check_options(problems: list[Problem], where: str, options: list[dict[str, Any]]) -> None:
    length(problems, where, options, 25)
    optional_seen = False
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        problems.append((where, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option names are not unique"))
    for index, option in enumerate(options):
        at = f"{where}.{index}"
        _check_name(problems, f"{at}.name", option.get("name"))
        required(problems, f"{at}.name", option.get("name"), 32)
        required(problems, f"{at}.description", option.get("description"), 100)
        choices = option.get("choices") or []
        _check_choices(problems, f"{at}.choices", choices)
        if choices and option.get("autocomplete"):
            problems.append(
                (at, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_WITH_CHOICES", "Choices or autocomplete, not both")
            )
        if option.get("type") in (SUB_COMMAND, SUB_COMMAND_GROUP):
            _check_options(problems, f"{at}.options", option.get("options") or [])
        elif option.get("required") and optional_seen:
            problems.append(
                (at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed first")
            )
        optional_seen = optional_seen or not option.get("required")


def _characters(node: dict[str, Any]) -> int:
    own = len(node.get("name") or "") + len(node.get("description") or "")
    own += sum(len(choice.get("name") or "") + len(str(choice.get("value"))) for choice in node.get("choices") or [])
    return own + sum(_characters(option) for option in node.get("options") or [])
