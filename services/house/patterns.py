"""Patterns of a server's own, by RE2: unlike `re`, it has none that takes long, so nobody can stop Easel with one.

Source of what they may hold: github.com/google/re2/wiki/Syntax.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from generation.errors import RequestRejected
from services.house.folding import folded
from texts.text import _

MAX_MEMORY_BYTES: Final = 1 << 20  # of one pattern: a{1000}{1000} is refused, not built


class PatternList:
    """Patterns that are looked for anywhere in a folded text, in small letters."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple((pattern, compiled(pattern)) for pattern in patterns)

    def find(self, text: str) -> str:
        """Return the first pattern that stands in a text, "" if none does."""
        plain = folded(text)
        return next((pattern for pattern, regex in self._patterns if regex.search(plain)), "")


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """Return a pattern, ready to be looked for.

    Raises:
        RequestRejected: it is none.
    """
    import re2  # only here: 3 MB for those who have patterns

    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive = MAX_MEMORY_BYTES, False, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = str(error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error)
        raise RequestRejected(
            _("“{pattern}” is not a valid pattern: {reason:phrase}.", pattern=pattern, reason=reason),
            field="patterns",
            hint=_("Patterns are those of RE2: `dragons?`, `\\bgun\\b`. A plain word belongs into the list of words."),
        ) from error
