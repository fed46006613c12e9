"""Settings of engines: which there are, what was set for each, and what only its kind reads."""

from collections.abc import Mapping, Set
from typing import Final

from backends.kind import EngineKind
from backends.kinds import kind_names, kind_of, kind_typed, known_kinds
from lazy import pattern
from settings.engines import ENGINE_ADDRESS, BackendSettings
from settings.reading.groups import read_group
from settings.reading.problems import Problem
from settings.reading.words import SettingHelp, help_of
from texts.text import _

INSTANCE_NAME: Final = pattern(r"[a-z][a-z0-9_-]{0,31}")


INSTANCE_FIELDS: Final = frozenset(BackendSettings.model_fields) - {"name", "options"}


def describe_instance() -> list[SettingHelp]:
    """List the settings of one engine, named as for an engine called gpu1."""
    return help_of(BackendSettings, {"kinds": ", ".join(kind_names())}, "GPU1_")


def prefix_of(name: str) -> str:
    """Return what the settings of an engine begin with."""
    return name.upper().replace("-", "_") + "_"


def options_known() -> dict[str, Set[str]]:
    """Return what each kind of engine reads, by its name."""
    return {kind.name: INSTANCE_FIELDS | {option.name for option in kind.options} for kind in known_kinds()}


def other_names() -> dict[str, str]:
    """Return the variables that stand for a setting of an engine, each with ours: `OPENAI_API_KEY`."""
    return {
        variable: f"{prefix_of(kind.name)}{setting.upper()}"
        for kind in known_kinds()
        for variable, setting in kind.variables.items()
    }


def with_own_names(given: Mapping[str, str]) -> dict[str, str]:
    """Return what was set under the names that we give it; where both are set, ours counts."""
    ours = {own: given[other] for other, own in other_names().items() if given.get(other)}
    return {**given, **{own: value for own, value in ours.items() if not given.get(own)}}


class EngineReader:
    """Reads engines out of all that was set.

    Args:
        said: every variable that is set, without blanks at its ends.
        known: the settings that belong to no engine.
        problems: where what cannot be is added.
    """

    def __init__(self, given: Mapping[str, str], known: Set[str], problems: list[Problem]) -> None:
        self._given = with_own_names(given)
        self._strange = known | other_names().keys()
        self._problems = problems

    def named(self) -> list[str]:
        """Return the engines that exist by their own settings alone: `A1111_URL`, or a hosted one's key."""
        return [kind.name for kind in known_kinds() if self._is_named(kind)]

    def fallbacks(self) -> dict[str, dict[str, str]]:
        """Read the options of the engines that are there without any setting."""
        return {kind.name: self._options(kind.name, kind) for kind in known_kinds() if kind.is_inside}

    def engine(self, name: str) -> BackendSettings | None:
        """Read one engine; None if it cannot be."""
        if not INSTANCE_NAME.fullmatch(name):
            allowed = _("names of letters, digits, - and _, the first a letter, at most 32 characters")
            self._problems.append(Problem(name="BACKENDS", value=name, allowed=allowed))
            return None
        prefix = prefix_of(name)
        typed = (self._given.get(f"{prefix}KIND") or name).lower()
        kind = kind_of(typed) or kind_typed(typed)
        if kind and kind.needs_address and not self._given.get(f"{prefix}URL"):
            self._problems.append(Problem(name=f"{prefix}URL", value="", allowed=ENGINE_ADDRESS))
        more = {"name": name, "kind": kind.name if kind else typed, "options": self._options(name, kind)}
        return read_group(BackendSettings, self._given, self._problems, prefix=prefix, more=more)

    def _is_named(self, kind: EngineKind) -> bool:
        telling = ("URL", "KEY") if kind.is_hosted else ("URL",)
        return not kind.is_fallback and any(self._given.get(prefix_of(kind.name) + setting) for setting in telling)

    def _options(self, name: str, kind: EngineKind | None) -> dict[str, str]:
        """Return an engine's settings that only its kind knows; one that it cannot read is a problem."""
        prefix = prefix_of(name)
        own = {
            variable.removeprefix(prefix).lower(): value
            for variable, value in self._given.items()
            if value and variable.startswith(prefix) and variable not in self._strange
        }
        for option in kind.options if kind else ():
            if (value := own.get(option.name)) and not option.accepts(value):
                problem = Problem(name=f"{prefix}{option.name.upper()}", value=value, allowed=option.rule)
                self._problems.append(problem)
        return {option: value for option, value in own.items() if option not in BackendSettings.model_fields}
