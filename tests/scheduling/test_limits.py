"""Room for what comes together, and the refusal when there is none."""

import pytest

from generation.errors import LimitReached
from scheduling.limits import check_places
from settings.queue import QueueSettings

LIMITS = QueueSettings(max_waiting=6, max_waiting_per_user=4)


@pytest.mark.parametrize(
    ("waiting", "own", "more", "text", "wait_s"),
    [
        (6, 0, 1, "The queue is full: 6 of 6 places", 10.0),
        (5, 0, 3, "The queue is almost full: 5 of 6 places", 20.0),
        (4, 3, 2, "You have 3 pictures waiting; the maximum is 4", 10.0),
    ],
)
def test_the_wait_is_for_as_many_places_as_are_asked_for(waiting, own, more, text, wait_s):
    with pytest.raises(LimitReached, match=text) as refused:
        check_places(LIMITS, waiting, own, more, turn_s=10.0)
    assert refused.value.retry_after == wait_s


def test_what_can_never_fit_is_not_told_to_wait():
    with pytest.raises(LimitReached, match="5 requests at once; the maximum is 4") as refused:
        check_places(LIMITS, 0, 0, 5, turn_s=10.0)
    assert refused.value.retry_after is None


def test_the_last_places_may_be_taken():
    check_places(LIMITS, 2, 0, 4, turn_s=10.0)
