"""One request as several jobs: a repeat, or more pictures than an engine draws at once. A chosen seed counts up."""

from collections.abc import Iterable
from dataclasses import replace

from generation.request import Draft, seed_after
from services.engines.catalog import Engine


def repeated(draft: Draft, times: int) -> list[Draft]:
    """Return a draft so many times, each with the next seed."""
    return [_moved_on(draft, number) for number in range(times)]


def repeated_all(drafts: Iterable[Draft], times: int) -> list[Draft]:
    """Return each of the drafts so many times."""
    return [each for draft in drafts for each in repeated(draft, times)]


def split(draft: Draft, count: int, most: int) -> list[Draft]:
    """Return the drafts that make `count` pictures together, at most `most` each."""
    if count == 1:
        return [draft]
    return [
        _moved_on(replace(draft, batch_size=min(most, count - first)), first) for first in range(0, count, max(1, most))
    ]


def most_at_once(engines: Iterable[Engine]) -> int:
    """Return how many pictures a job may have that goes to any of these engines."""
    return min((engine.capabilities.max_batch for engine in engines if engine.capabilities), default=1)


def _moved_on(draft: Draft, pictures: int) -> Draft:
    """Return the draft for what comes after so many pictures."""
    if draft.seed is None or not pictures:
        return draft
    return replace(draft, seed=seed_after(draft.seed, pictures))
