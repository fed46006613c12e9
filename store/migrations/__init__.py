"""The steps that bring a file of the store to the form of this version: numbered SQL files, run in that order.

A released step is frozen, for people's files hold its hash; what should be otherwise is a new step. Times are UTC epoch
seconds, columns named like a value of `generation` hold its JSON. Why: `docs/decisions/021-numbered-steps.md`.

A step from 028 on only adds, and begins with `ADDS`: the version before goes on with the file, should people go back to
it (`docs/decisions/063-the-version-before-goes-on.md`).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

ADDS: Final = "-- adds only: the version before goes on with it"  # no text: the first line of a step

_HERE: Final = Path(__file__).parent


@cache
def easel_steps() -> Mapping[str, str]:
    """Read the steps of `easel.sqlite3`: "001_jobs" to its SQL script."""
    return _read(_HERE)


@cache
def cache_steps() -> Mapping[str, str]:
    """Read the steps of `cache.sqlite3`."""
    return _read(_HERE / "cache")


def only_adds(script: str) -> bool:
    """Return whether a step says of itself that the version before can go on after it."""
    return script.startswith(ADDS)


def _read(folder: Path) -> Mapping[str, str]:
    # as text: a checkout that ends its lines otherwise must not give other hashes
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("[0-9]*.sql"))}
