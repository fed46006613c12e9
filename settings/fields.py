"""How a setting is declared: the types it may have, with their units, and what would be right in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from settings.env_file import MASKED
from settings.problems import Problem

Model = TypeVar("Model", bound=BaseModel)

WITH_TOKEN: Final = frozenset({"webhook_url"})  # whoever knows such an address may use it
TOKEN_PATH: Final = re.compile(r"^((?:\w+:/+)?[^/\s]+/).+$")
MILLISECONDS_FROM: Final = 1000.0  # a plain JOB_TIMEOUT this large is milliseconds, as other tools write it

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")
_UNIT_S: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_span(value: object) -> object:
    """Read a time span like `90s`, `5m`, `24h` or plain seconds; anything else is left for pydantic to refuse."""
    said = _SPAN.fullmatch(value.strip().casefold()) if isinstance(value, str) else None
    return float(said[1]) * _UNIT_S[said[2]] if said else value


def read_job_span(value: object) -> object:
    """Read a time span in which a plain number from 1000 on is milliseconds."""
    seconds = read_span(value)
    is_plain = isinstance(value, str) and value.strip()[-1:].isdigit()
    return seconds / 1000 if is_plain and isinstance(seconds, float) and seconds >= MILLISECONDS_FROM else seconds


def write_span(seconds: float) -> str:
    """Write a time span in its largest whole unit: `24h`, `5m`, `90s`."""
    for unit in ("h", "m"):
        if seconds and seconds % _UNIT_S[unit] == 0:
            return f"{seconds / _UNIT_S[unit]:g}{unit}"
    return f"{seconds:g}s"


def parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def split(value: object) -> object:
    return parts(value) if isinstance(value, str) else value


def check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses as they stand and networks by their first address, however they were written."""
    return tuple(str(ip_network(one, strict=False)) if "/" in one else str(ip_address(one)) for one in value)


Span = Annotated[float, BeforeValidator(read_span)]
JobSpan = Annotated[float, BeforeValidator(read_job_span)]
Names = Annotated[tuple[str, ...], BeforeValidator(split)]
Ids = Annotated[tuple[int, ...], BeforeValidator(split)]
Networks = Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(check_networks)]
Upper = BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value)
Lower = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)
Url = Annotated[str, BeforeValidator(lambda value: value.strip().rstrip("/") if isinstance(value, str) else value)]
HTTP_URL: Final = r"^https?://[^\s/@]+(/\S*)?$"  # no user:password@ in it: keys have settings of their own


def text(default: str, meaning: str, right: str, **rules: Any) -> Any:
    return Field(default=default, description=meaning, json_schema_extra={"right": right}, **rules)


def secret(meaning: str, right: str) -> Any:
    return Field(default=SecretStr(""), description=meaning, json_schema_extra={"right": right})


def number(default: float, meaning: str, *, low: float, high: float) -> Any:
    right = f"a whole number, {low:g} to {high:g}"
    return Field(default=default, ge=low, le=high, description=meaning, json_schema_extra={"right": right})


def span(default: float, meaning: str, *, low: float, high: float) -> Any:
    right = f"a time from {write_span(low)} to {write_span(high)}, like 90s, 5m or 24h"
    return Field(default=default, ge=low, le=high, description=meaning, json_schema_extra={"right": right})


def switch(default: bool, meaning: str) -> Any:
    return Field(default=default, description=meaning, json_schema_extra={"right": "true or false"})


def names_of(meaning: str, right: str) -> Any:
    return Field(default=(), description=meaning, json_schema_extra={"right": right})


def listed(values: Iterable[object]) -> str:
    """Return `1, 2 and 3`."""
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, kw_only=True)
class SettingHelp:
    """One setting as `.env.example` and docs/settings.md show it."""

    name: str
    default: str
    meaning: str
    right: str


def help_of(name: str, field: FieldInfo, values: Mapping[str, object]) -> SettingHelp:
    """Return a setting as people read it; `values` fill the places in braces of its meaning."""
    meaning = (field.description or "").format_map(values)
    return SettingHelp(name=name.upper(), default=shown(field), meaning=meaning, right=right_of(field))


def shown(field: FieldInfo) -> str:
    """Write a default as it stands in `.env`."""
    value = field.default
    if value is None or isinstance(value, SecretStr | tuple):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    is_span = any(
        isinstance(rule, BeforeValidator) and rule.func in (read_span, read_job_span) for rule in field.metadata
    )
    return write_span(value) if is_span else str(value)


def right_of(field: FieldInfo) -> str:
    """Return what a value must be, in words."""
    extra = field.json_schema_extra
    return str(extra["right"]) if isinstance(extra, dict) else ""


def build(model: type[Model], values: dict[str, Any], prefix: str, problems: list[Problem]) -> Model | None:
    """Make a group of settings; what cannot be is added to the problems."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for name in dict.fromkeys(str(found["loc"][0]) for found in error.errors()):
            field = model.model_fields[name]
            value = MASKED if field.annotation is SecretStr else str(values.get(name, ""))
            if name in WITH_TOKEN:
                value = TOKEN_PATH.sub(rf"\1{MASKED}", value)
            problems.append(Problem(name=f"{prefix}{name}".upper(), value=value, right=right_of(field)))
        return None
