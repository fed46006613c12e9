"""Limits on a request's body, by route; and JSON looked through while it comes in, before anything reads it.

Reading JSON and checking it against a schema both take their time by the number of values, not by bytes: a megabyte of
unknown keys costs seconds, and a thread would not help, since the readers are C code that keeps Python's lock.
"""

import math
import re
from typing import Any, Final

from fastapi import Depends
from pydantic_core import from_json

from generation.errors import RequestRejected
from lazy import dataclass, pattern
from texts.text import _

KIB: Final = 1024
MIB: Final = 1024 * KIB
MAX_BODY_BYTES: Final = 32 * MIB  # two pictures of 10 MB as base64, and what is said about them
MARKS_OF_VALUE: Final = 5  # at most: a key, quotes, a comma, brackets
OUTER_LEVELS: Final = 2
MOST_TEXT_BYTES: Final = 2 * MIB  # of what takes long to read: other letters, and escapes. Pictures have neither
MOST_BETWEEN_BYTES: Final = 3 * MIB  # outside of strings: numbers, and the blanks of an indented workflow
MOST_STRING_BYTES: Final = 14 * MIB  # a picture of 10 MB as base64

# Possessive: nothing is gone over twice, and no stack grows with the length.
_IN_STRING = pattern(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_MARK = pattern(rb'["{}\[\],]')


@dataclass(frozen=True, kw_only=True)
class BodyLimits:
    """The limits of a body. The others are of JSON: values in all, in the two outer levels, and how deep they nest.

    It is the outer levels that a schema is checked against, which costs much more than reading does.
    """

    bytes: int
    values: int = 2000
    outer_values: int = 5000
    depth: int = 32

    async def __call__(self) -> None:
        """Stand among the dependencies of a route, where `EaselRoute` finds it."""


ORDINARY: Final = BodyLimits(bytes=256 * KIB)  # every route that says nothing else
PICTURES: Final = BodyLimits(bytes=MAX_BODY_BYTES)
WORKFLOWS: Final = BodyLimits(bytes=3 * MIB, values=200_000, depth=100)
FORMS: Final = PICTURES
FILES: Final = PICTURES


class TooLarge(RequestRejected):
    """That is too much at once."""

    code = "too_large"


def takes(limits: BodyLimits) -> Any:
    """Let the body of a route hold other than the ordinary: one of its `dependencies`."""
    return Depends(limits)


class ByteCount:
    """Counts the bytes of a body as they come."""

    def __init__(self, limits: BodyLimits) -> None:
        self._most = limits.bytes
        self._seen = 0

    def feed(self, part: bytes) -> None:
        """Count a part.

        Raises:
            TooLarge: it is more than the route takes.
        """
        self._seen += len(part)
        if self._seen > self._most:
            size = f"{self._most // MIB} MB" if self._most >= MIB else f"{self._most // KIB} KB"
            raise TooLarge(
                _("A request may hold {size} here.", size=size), hint=_("Send less at once, or smaller pictures.")
            )


class JsonOutline:
    """Counts the values and the depth of JSON as it comes in. What is no JSON may pass: its reader refuses it."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._values = self._outer_values = 1
        self._marks = 0
        self._depth = 0
        self._text = 0
        self._string = 0
        self._between = 0
        self._is_in_string = False
        self._is_escaped = False

    def feed(self, part: bytes) -> None:
        """Look through the next part.

        Raises:
            TooLarge: it holds too many values, too many inside each other, too much text, or too long a string.
        """
        if not part.isascii() or part.count(b"\\") > len(part) // 16:
            self._text += len(part)
            if self._text > MOST_TEXT_BYTES:
                raise TooLarge(
                    _("The body holds too much text: at most {most} MB besides pictures.", most=MOST_TEXT_BYTES // MIB)
                )
        position = self._leave_string(part, 0) if self._is_in_string else 0
        while mark := _MARK.search(part, position):
            self._between += mark.end() - position
            position = mark.end()
            self._count(mark[0])
            if mark[0] == b'"':
                self._string = 0
                position = self._leave_string(part, position)
        self._between += len(part) - position
        if self._between > MOST_BETWEEN_BYTES:
            most = MOST_BETWEEN_BYTES // MIB
            raise TooLarge(
                _("The body holds too much outside of strings: at most {most} MB of numbers and blanks.", most=most)
            )

    def _count(self, mark: bytes) -> None:
        self._marks += 1
        if mark in b"{[":
            self._depth += 1
        elif mark in b"}]":
            self._depth -= 1
        if mark in b",{[":
            self._values += 1
            self._outer_values += self._depth <= OUTER_LEVELS
        if self._outer_values > self._limits.outer_values:
            raise TooLarge(
                _(
                    "The body holds too many values: at most {outer_values} side by side.",
                    outer_values=self._limits.outer_values,
                )
            )
        if self._values > self._limits.values or self._marks > MARKS_OF_VALUE * self._limits.values:
            raise TooLarge(
                _("The body holds too many values: at most {values} are taken here.", values=self._limits.values)
            )
        if abs(self._depth) > self._limits.depth:
            raise TooLarge(
                _("The body is nested too deeply: at most {depth} levels are taken here.", depth=self._limits.depth)
            )

    def _leave_string(self, part: bytes, position: int) -> int:
        """Return where the string ends that `position` is in; it may go on in the next part."""
        self._is_in_string = True
        end = _IN_STRING.match(part, position + self._is_escaped)
        stop = end.end() if end else len(part)
        self._string += stop - position
        if self._string > MOST_STRING_BYTES:
            most = _("at most {most} MB, which is a picture of 10 MB", most=MOST_STRING_BYTES // MIB)
            raise TooLarge(_("A string in the body is too long: {most}.", most=most), hint=_("Send a smaller picture."))
        self._is_escaped = stop < len(part) and part[stop : stop + 1] == b"\\"
        if stop < len(part) and not self._is_escaped:
            self._is_in_string = False
            return stop + 1
        return len(part)


def read_json(data: bytes) -> Any:
    """Read JSON as its standard has it: UTF-8, and no number that is none (NaN, Infinity, 1e999).

    Raises:
        ValueError: it is not that.
    """
    value = from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False, cache_strings="none")
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, float) and math.isinf(part):
            raise ValueError("a number is too large")
        if isinstance(part, dict):
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return value
