"""The plan of edits: soon after the first words, then spread over what is left; one fewer where a ping will come."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from cogs.pacing import LATE_S, MOST_EDITS, SOON_S, EditPlan, MessageState

WAITING = MessageState(is_waiting=True, words=(1,))
RUNNING = MessageState(is_waiting=False)


def drawn(
    seconds: float,
    *,
    is_known: bool,
    ping_after_s: float = 0.0,
    shown: MessageState | None = WAITING,
    tick_s: float = 0.25,
) -> list[float]:
    """Return the moments of the edits of a picture that takes so long and grows evenly."""
    plan, sent = EditPlan(shown, 0.0, ping_after_s=ping_after_s), []
    for tick in range(1, int(seconds / tick_s)):
        now = tick * tick_s
        standing = replace(RUNNING, fraction=now / seconds, ends_at=seconds if is_known else None)
        if plan.wait_s(standing, now) == 0:
            plan.note_sent(standing, now)
            sent.append(now)
    return sent


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("seconds", [0.5, 1.4])
def test_a_picture_that_comes_soon_gets_no_edit(seconds: float, is_known: bool) -> None:
    assert drawn(seconds, is_known=is_known) == []
    assert drawn(seconds, is_known=is_known, shown=None) == []


def test_near_its_end_there_is_no_edit() -> None:
    assert drawn(2.75, is_known=True) == []
    assert drawn(20, is_known=True)[-1] <= 20 - SOON_S


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("seconds", [5, 20, 60])
def test_edits_are_spread_and_few(seconds: float, is_known: bool) -> None:
    moments = drawn(seconds, is_known=is_known)
    assert 1 <= len(moments) <= MOST_EDITS
    assert moments[0] == pytest.approx(SOON_S, abs=0.3)
    assert all(later - earlier >= SOON_S for earlier, later in pairwise(moments))


def test_the_words_in_place_of_thinking_are_among_them() -> None:
    assert len(drawn(20, is_known=True, shown=None)) == MOST_EDITS


def test_where_a_ping_will_come_there_is_one_fewer() -> None:
    assert len(drawn(60, is_known=True, ping_after_s=30)) == MOST_EDITS - 1
    assert len(drawn(20, is_known=True, ping_after_s=30)) == MOST_EDITS


def test_what_takes_longer_than_was_thought_is_shown_ever_more_rarely() -> None:
    plan, sent = EditPlan(WAITING, 0.0), []
    for now in range(1, 3600):
        standing = replace(RUNNING, words=now, ends_at=now)
        if plan.wait_s(standing, now) == 0:
            plan.note_sent(standing, now)
            sent.append(now)
    late = sent[MOST_EDITS:]
    assert 3 <= len(late) <= 6
    gaps = [after - before for before, after in zip(sent[MOST_EDITS - 1 :], late, strict=False)]
    assert gaps[0] >= LATE_S
    assert gaps == sorted(gaps)


def test_a_picture_that_was_due_is_shown_again_when_it_does_not_come() -> None:
    """The engine's pace is known, but this time it loads a model first."""
    plan, sent = EditPlan(WAITING, 0.0), []
    for tick in range(1, 40):
        now = tick * 0.25
        if plan.wait_s(replace(RUNNING, fraction=tick / 100, ends_at=max(now, 1.0)), now) == 0:
            sent.append(now)
            break
    assert sent, "nobody is left in the dark"
    assert sent[0] <= 4.0


def test_places_in_line_are_shown_half_way_and_one_edit_is_kept_for_the_drawing() -> None:
    plan, sent = EditPlan(replace(WAITING, words=(20,)), 0.0, ping_after_s=30), []
    for now in range(1, 120):
        standing = MessageState(is_waiting=True, words=(20 - now // 6,), ends_at=120.0)
        if plan.wait_s(standing, now) == 0:
            plan.note_sent(standing, now)
            sent.append(now)
    assert sent == [60]
    assert plan.wait_s(RUNNING, 120) == pytest.approx(SOON_S)


def test_news_is_shown_at_once_and_costs_no_edit_of_the_plan() -> None:
    plan = EditPlan(WAITING, 0.0)
    for now in range(2, 20, 2):
        down = replace(WAITING, news=now)
        assert plan.wait_s(down, now) == 0
        plan.note_sent(down, now)
    assert plan.wait_s(RUNNING, 20) <= SOON_S


def test_who_waits_behind_others_reads_so_at_once() -> None:
    behind = replace(WAITING, is_held=True)
    assert EditPlan(None, 0.0).wait_s(behind, 0.0) == 0
    assert EditPlan(None, 0.0).wait_s(WAITING, 0.0) == SOON_S


def test_what_has_not_moved_is_never_due() -> None:
    plan = EditPlan(replace(RUNNING, fraction=0.5), 0.0)
    assert plan.wait_s(replace(RUNNING, fraction=0.52), 500) == float("inf")
    assert plan.wait_s(replace(RUNNING, fraction=0.56), 500) == 0
