"""The settings of single engines: which there are, what all have, and what only their kind reads."""

import re
from collections.abc import Mapping, Set
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from backends.kind import EngineKind
from backends.kinds import kind_names, kind_of, kind_typed, known_kinds
from settings.fields import HTTP_URL, Lower, SettingHelp, Url, build, help_of, number, right_of, secret, text
from settings.problems import ENGINE_ADDRESS, Problem

INSTANCE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class BackendSettings(BaseModel):
    """One engine as configured; its variables begin with its name in capitals, `GPU1_URL`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    kind: Annotated[str, Lower] = text("", "What it is: {kinds}", "a kind of engine")
    url: Url = text("", "Address", ENGINE_ADDRESS, repr=False, pattern=HTTP_URL)
    key: SecretStr = secret("API key, or user:password", "a key")
    label: str = text("", "Name that people see", "a name of up to 60 characters", max_length=60)
    concurrency: int = number(1, "Maximum jobs at once", low=1, high=64)
    rate_per_minute: float | None = Field(
        default=None,
        gt=0,
        le=6000,
        description="Maximum jobs per minute; empty: no limit",
        json_schema_extra={"right": "a number above 0, up to 6000"},
    )
    options: Mapping[str, str] = Field(default_factory=dict, repr=False)


INSTANCE_FIELDS: Final = frozenset(BackendSettings.model_fields) - {"name", "options"}


def describe_instance() -> list[SettingHelp]:
    """List the settings of one engine, named as for an engine called gpu1."""
    fields = BackendSettings.model_fields.items()
    values = {"kinds": ", ".join(kind_names())}
    return [help_of(f"gpu1_{name}", field, values) for name, field in fields if name not in {"name", "options"}]


def prefix_of(name: str) -> str:
    """Return what the settings of an engine begin with."""
    return name.upper().replace("-", "_") + "_"


def options_known() -> dict[str, Set[str]]:
    """Return what each kind of engine reads, by its name."""
    return {kind.name: INSTANCE_FIELDS | {option.name for option in kind.options} for kind in known_kinds()}


class EngineReader:
    """Reads engines out of all that was set.

    Args:
        said: every variable that is set, without blanks at its ends.
        known: the settings that belong to no engine.
        problems: where what cannot be is added.
    """

    def __init__(self, said: Mapping[str, str], known: Set[str], problems: list[Problem]) -> None:
        self._said = said
        self._known = known
        self._problems = problems

    def named(self) -> list[str]:
        """Return the engines that exist by their own settings alone: `A1111_URL`, or a hosted one's key."""
        return [kind.name for kind in known_kinds() if self._is_named(kind)]

    def fallbacks(self) -> dict[str, dict[str, str]]:
        """Read the options of the engines that are there without any setting."""
        return {kind.name: self._options(kind.name, kind) for kind in known_kinds() if kind.is_fallback}

    def engine(self, name: str) -> BackendSettings | None:
        """Read one engine; None if it cannot be."""
        if not INSTANCE_NAME.fullmatch(name):
            right = "names of letters, digits, - and _, the first a letter, at most 32 characters"
            self._problems.append(Problem(name="BACKENDS", value=name, right=right))
            return None
        prefix = prefix_of(name)
        values: dict[str, Any] = {
            field: value for field in INSTANCE_FIELDS if (value := self._said.get(prefix + field.upper()))
        }
        typed = values.get("kind", name).lower()
        kind = kind_of(typed) or kind_typed(typed)
        values |= {"name": name, "kind": kind.name if kind else typed, "options": self._options(name, kind)}
        if kind and kind.needs_address and "url" not in values:
            right = right_of(BackendSettings.model_fields["url"])
            self._problems.append(Problem(name=f"{prefix}URL", value="", right=right))
        return build(BackendSettings, values, prefix, self._problems)

    def _is_named(self, kind: EngineKind) -> bool:
        telling = ("URL", "KEY") if kind.is_hosted else ("URL",)
        return not kind.is_fallback and any(self._said.get(prefix_of(kind.name) + setting) for setting in telling)

    def _options(self, name: str, kind: EngineKind | None) -> dict[str, str]:
        """Return an engine's settings that only its kind knows; one that it cannot read is a problem."""
        prefix = prefix_of(name)
        own = {
            variable.removeprefix(prefix).lower(): value
            for variable, value in self._said.items()
            if value and variable.startswith(prefix) and variable not in self._known
        }
        for option in kind.options if kind else ():
            if (value := own.get(option.name)) and not option.accepts(value):
                problem = Problem(name=f"{prefix}{option.name.upper()}", value=value, right=option.rule)
                self._problems.append(problem)
        return {option: value for option, value in own.items() if option not in BackendSettings.model_fields}
