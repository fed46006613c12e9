"""Options that a workflow adds to Easel's own: `--detail 1.2` for an input of one of its nodes.

A request holds what was said as text, by name: what it means only the workflow knows, on the engine that runs it.
"""

import math
import re
from collections.abc import Callable, Iterable
from typing import Final

from generation.fields import Kind
from generation.option_tokens import near_option
from generation.option_values import NUMBER_FORM
from generation.options import BY_NAME, FOREIGN_FLAGS, shorten
from generation.samplers import match_name
from lazy import dataclass, pattern
from texts.text import _

WHOLE, NUMBER, WORDS, FLAG, CHOICE = "whole", "number", "text", "flag", "choice"
NAME_FORM: Final = pattern(r"[a-z][a-z0-9_]{0,31}")
YES: Final = ("yes", "true", "on", "1", "")
NO: Final = ("no", "false", "off", "0")
LISTED: Final = 12
Said = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class WorkflowOption:
    """One option as an engine offers it. `default` is the value of the export, both ends of a range are allowed."""

    name: str
    kind: str = WORDS
    low: float | None = None
    high: float | None = None
    default: str = ""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """Return in words what it takes."""
        if self.kind == CHOICE:
            more = _(" or {count} more", count=len(self.choices) - LISTED) if len(self.choices) > LISTED else ""
            return ", ".join(self.choices[:LISTED]) + more
        if self.kind == FLAG:
            return _("yes or no")
        if self.kind == WORDS:
            return "words"
        what = _("a whole number") if self.kind == WHOLE else _("a number")
        ends = (("from", self.low), ("to", self.high))
        return " ".join([what, *(f"{word} {figure(end)}" for word, end in ends if end is not None)])

    def read(self, text: str) -> str:
        """Return a value as it is kept.

        Raises:
            ValueError: it cannot be; says what would be right.
        """
        text = text.strip()
        if self.kind == FLAG and text.casefold() in (*YES, *NO):
            return "yes" if text.casefold() in YES else "no"
        if self.kind == CHOICE and text and (found := match_name(text, self.choices)):
            return found
        number = _number(text, self.kind) if self.kind in (WHOLE, NUMBER) else None
        if number is not None and self._has(number):
            return figure(number)
        if self.kind == WORDS:
            return text
        given = f"“{shorten(text)}”" if text else "empty"
        raise ValueError(f"--{self.name} cannot be {given}. Allowed: {self.allowed}")

    def _has(self, number: float) -> bool:
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


def is_taken(name: str) -> bool:
    """Return whether a name means something of Easel's own, or of what people are used to from elsewhere."""
    own = BY_NAME.get(name)
    return (own is not None and own.kind != Kind.EXTRA) or name in FOREIGN_FLAGS


def faults(given: Said, offered: Iterable[WorkflowOption]) -> list[str]:
    """Return in words which of the values that were said cannot be."""
    by_name, found = {option.name: option for option in offered}, []
    for name, text in given:
        if name in by_name:
            try:
                by_name[name].read(text)
            except ValueError as error:
                found.append(str(error))
    return found


def fitted(given: Said, offered: Iterable[WorkflowOption], say: Callable[[str], None]) -> Said:
    """Return the options that are offered, each once and as it is kept; the others are said to be ignored."""
    by_name, kept = {option.name: option for option in offered}, dict[str, str]()
    for name, text in given:
        if name in by_name:
            kept[name] = by_name[name].read(text)
            continue
        near = match_name(name, by_name) or near_option(name)
        what = _ignored(name)
        if near and near != name:
            what = _("ignored: did you mean --{near}?", near=near)
        elif by_name:
            what = _("ignored: this workflow has --{options}", options=", --".join(by_name))
        say(
            _("unknown option --{words} {what}", words=shorten(name), what=what)
            if name not in BY_NAME
            else f"--{name} {what}"
        )
    return tuple(kept.items())


def _ignored(name: str) -> str:
    if name not in BY_NAME:
        return "ignored"
    is_extra = BY_NAME[name].kind == Kind.EXTRA
    return _(
        "ignored: only workflows that {rest}",
        rest=_("make videos take it") if is_extra else _("have such an option take it there"),
    )


def _number(text: str, kind: str) -> float | int | None:
    text = re.sub(r"^([+-]?\d+),(\d+)$", r"\1.\2", text)  # much of the world writes 7,5
    if not NUMBER_FORM.fullmatch(text):
        return None
    if re.fullmatch(r"[+-]?\d{1,20}", text):
        return int(text)
    number = float(text)
    if not math.isfinite(number) or (kind == WHOLE and not number.is_integer()):
        return None
    return int(number) if kind == WHOLE else number


def figure(number: float) -> str:
    """Write a number as short as it can be without losing a digit."""
    if isinstance(number, int):
        return str(number)
    short = f"{number:.15g}"
    return short if float(short) == number else repr(number)
