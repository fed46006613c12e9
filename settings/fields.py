"""Declaration of a setting: its type and unit, its range, what it does, and what would be right in words."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from lazy import pattern
from texts.text import _

HTTP_URL: Final = r"^https?://[^\s/@]+(/\S*)?$"  # no user:password@ in it: keys have settings of their own
MILLISECONDS_FROM: Final = 1000.0  # a plain JOB_TIMEOUT this large is milliseconds, as other tools write it

_SPAN: Final = pattern(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")
_UNIT_S: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Group(BaseModel):
    """The settings of one part of Easel, which receives them as they are.

    A variable has the name of its field in capitals, spans without their unit, unless the field names another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)
    title: ClassVar[str]  # of their table in docs/settings.md
    live: ClassVar[frozenset[str]] = frozenset()  # fields that a running Easel takes up again (`app/reloading.py`)

    def changed(self, **changes: object) -> Self:
        """Return the group with other values, checked as ever."""
        return type(self).model_validate({name: getattr(self, name) for name in self.model_fields_set} | changes)


def read_span(value: object) -> object:
    """Read a time span like `90s`, `5m`, `24h` or plain seconds; anything else is left for pydantic to refuse."""
    match = _SPAN.fullmatch(value.strip().casefold()) if isinstance(value, str) else None
    return float(match[1]) * _UNIT_S[match[2]] if match else value


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
    return tuple(str(ip_network(part, strict=False)) if "/" in part else str(ip_address(part)) for part in value)


def read_user_ids(value: object) -> object:
    """Read ids of Discord, which our own values hold as text."""
    return {str(int(part)) for part in parts(value)} if isinstance(value, str) else value


Span = Annotated[float, BeforeValidator(read_span)]
JobSpan = Annotated[float, BeforeValidator(read_job_span)]
Names = Annotated[tuple[str, ...], BeforeValidator(split)]
Ids = Annotated[tuple[int, ...], BeforeValidator(split)]
IdTexts = Annotated[frozenset[str], BeforeValidator(read_user_ids)]
Networks = Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(check_networks)]
Upper = BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value)
Lower = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)
Url = Annotated[str, BeforeValidator(lambda value: value.strip().rstrip("/") if isinstance(value, str) else value)]


def setting(
    default: object,
    meaning: str,
    allowed: str,
    *,
    variable: str = "",
    otherwise: Sequence[str] = (),
    has_token: bool = False,
    **rules: Any,
) -> Any:
    """Declare a setting.

    Args:
        default: what counts where nothing is set.
        meaning: what it does, for people.
        allowed: what a value must be, for people.
        variable: what it is called in `.env`, where that is not the field's name.
        otherwise: variables that count where it is not set, the first that is.
        has_token: whoever knows the address may use it, so only its host is shown.
        rules: pydantic's own for the value.
    """
    extra: dict[str, Any] = {"right": allowed, "variable": variable, "otherwise": [*otherwise], "has_token": has_token}
    return Field(default=default, description=meaning, json_schema_extra=extra, **rules)


def text(default: str, meaning: str, allowed: str, **more: Any) -> Any:
    return setting(default, meaning, allowed, **more)


def address(meaning: str, allowed: str, **more: Any) -> Any:
    """Declare an http:// or https:// address that may be empty."""
    return setting("", meaning, allowed, pattern=f"^$|{HTTP_URL}", **more)


def secret(meaning: str, allowed: str, **more: Any) -> Any:
    return setting(SecretStr(""), meaning, allowed, **more)


def number(default: float, meaning: str, *, low: float, high: float, **more: Any) -> Any:
    return setting(
        default, meaning, _("a whole number, {low:g} to {high:g}", low=low, high=high), ge=low, le=high, **more
    )


def span(default: float, meaning: str, *, low: float, high: float, **more: Any) -> Any:
    allowed = _("a time from {low} to {high}, like 90s, 5m or 24h", low=write_span(low), high=write_span(high))
    return setting(default, meaning, allowed, ge=low, le=high, **more)


def switch(default: bool, meaning: str, **more: Any) -> Any:
    return setting(default, meaning, _("true or false"), **more)


def names_of(meaning: str, allowed: str, **more: Any) -> Any:
    return setting((), meaning, allowed, **more)


def is_span(field: FieldInfo) -> bool:
    readers = (rule.func for rule in field.metadata if isinstance(rule, BeforeValidator))
    return any(reader in (read_span, read_job_span) for reader in readers)


def declared(field: FieldInfo) -> dict[str, Any]:
    """Return what a field says beyond pydantic's own; empty for one that is no setting."""
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def variable_of(name: str, field: FieldInfo) -> str:
    """Return what a setting is called in `.env`."""
    return str(declared(field)["variable"]) or (name.removesuffix("_s") if is_span(field) else name).upper()


def allowed_of(field: FieldInfo) -> str:
    """Return what a value must be, in words."""
    return str(declared(field).get("right", ""))
