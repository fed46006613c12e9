"""Looking for predictions whose ids were lost: Easel was killed, or the answer went missing.

The list of our predictions has their inputs, for an hour. Ours has a seed of its own, so that it is known by that, its
words and its model; what other jobs of ours have is passed over.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from backends.replicate.answers import Prediction
from backends.replicate.client import ReplicateClient
from backends.replicate.payload import ReplicateOrder

MAX_PAGES: Final = 3
SLACK: Final = timedelta(minutes=1)  # their clock and ours
CURSOR: Final = "cursor="


async def find(
    client: ReplicateClient, orders: list[ReplicateOrder], since: datetime | None, known: Collection[str]
) -> list[str]:
    """Return the ids of what was sent for these orders, in their order; those that never arrived are left out.

    Raises:
        BackendError: the list cannot be read now.
    """
    listed = await _since(client, since)
    found: list[str] = []
    for order in orders:
        match = next((run.id for run in listed if run.id not in {*known, *found} and is_of(run, order)), None)
        if match:
            found.append(match)
    return found


def is_of(run: Prediction, order: ReplicateOrder) -> bool:
    """Return whether a prediction is an order's: the same model, and the same input but for the pictures."""
    slug = order.model.slug.partition(":")[0]
    given = run.input if isinstance(run.input, dict) else {}
    return run.model in {"", slug} and all(given.get(name) == value for name, value in order.values.items())


async def _since(client: ReplicateClient, since: datetime | None) -> list[Prediction]:
    runs: list[Prediction] = []
    cursor = ""
    for _page in range(MAX_PAGES):
        page = await client.listed(cursor)
        runs += [run for run in page.results if not _is_before(run, since)]
        cursor = (page.next or "").partition(CURSOR)[2].partition("&")[0]
        if not cursor or any(_is_before(run, since) for run in page.results):
            break
    return runs


def _is_before(run: Prediction, since: datetime | None) -> bool:
    return bool(since and run.created_at and run.created_at.tzinfo and run.created_at < since - SLACK)
