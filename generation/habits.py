"""Answers as somebody always wants them shown, whatever is drawn: `None` leaves it to the next scope, then to Easel."""

import re
from dataclasses import fields, replace
from typing import Any, Final

from lazy import dataclass, pattern

_ON: Final = frozenset({"", "on", "yes", "true"})
_TYPED: Final = pattern(
    r"(?<!\S)(?:--|—)(private|spoiler|previews|pings|dm)(?:(?:\s+|=)(on|off|yes|no|true|false))?(?!\S)", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """Those of one scope, or of several laid over each other."""

    private: bool | None = None  # only who asked sees the answer
    spoiler: bool | None = None  # hidden until it is clicked
    previews: bool | None = None  # pictures of the unfinished one while it is drawn; without a word, yes
    pings: bool | None = None  # a ping after a long wait; without a word, yes
    dm: bool | None = None  # the finished picture also as a direct message

    def over(self, below: "Habits") -> "Habits":
        """Return these, filled up with what another scope says."""
        return replace(below, **self.given())

    def given(self) -> dict[str, bool]:
        """Return what is decided here."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}


HABITS: Final = tuple(each.name for each in fields(Habits))


def take_habits(text: str) -> tuple[Habits, str]:
    """Take `--private`, `--previews off` out of a text; return them and what is left of it."""
    typed = {name.lower(): value.lower() in _ON for name, value in _TYPED.findall(text)}
    return Habits(**typed), _TYPED.sub("", text).strip()


def habit_text(name: str, value: bool) -> str:
    """Write a single habit as `take_habits` reads it."""
    return f"--{name} {'on' if value else 'off'}"


def habits_from_json(values: Any) -> Habits:
    """Read what was stored; what this version does not know is passed over."""
    known = values if isinstance(values, dict) else {}
    return Habits(**{name: bool(known[name]) for name in HABITS if known.get(name) is not None})
