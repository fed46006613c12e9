"""The choice after a failure, as a table: every error, paid or not, with and without another engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from constants import MAX_ATTEMPTS, RETRY_BASE_S, RETRY_MAX_S
from generation import errors
from generation.errors import BackendGone, BackendUnavailable, GenerationError, RateLimited
from generation.job import Job, Origin
from generation.request import GenerationRequest
from scheduling.retry import Again, Await, Decision, Elsewhere, GiveUp, RetryPolicy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = GenerationRequest(prompt="a fox", width=512, height=512, steps=20, cfg_scale=7, seed=1)
JOB = Job(
    id="abcdef",
    request=REQUEST,
    drawn=REQUEST,
    origin=Origin(door="test", user_id="1"),
    lane="one",
    candidates=("one", "two"),
    created_at=NOW,
)
MOVE = Elsewhere(lane="two")
STOP = GiveUp()
LATER = Again(after_s=RETRY_BASE_S)
WAIT = Await()

# error: what is done with another engine at hand, and without
TABLE: dict[type[GenerationError], tuple[Decision, Decision]] = {
    errors.GenerationError: (STOP, STOP),
    errors.RequestRejected: (STOP, STOP),
    errors.CapabilityError: (MOVE, STOP),
    errors.ContentBlocked: (STOP, STOP),
    errors.LimitReached: (STOP, STOP),
    errors.NotAllowed: (STOP, STOP),
    errors.Barred: (STOP, STOP),
    errors.HouseRefusal: (STOP, STOP),
    errors.StoreUnavailable: (STOP, STOP),
    errors.Unstorable: (STOP, STOP),
    errors.BackendError: (MOVE, STOP),
    errors.BackendUnavailable: (MOVE, LATER),
    errors.BackendGone: (MOVE, WAIT),
    errors.RateLimited: (LATER, LATER),
    errors.BackendAuthError: (MOVE, STOP),
    errors.OutOfMemory: (MOVE, STOP),
    errors.UnexpectedAnswer: (MOVE, STOP),
    errors.JobTimedOut: (STOP, STOP),
    errors.JobInterrupted: (STOP, STOP),
}


def _all_errors(kind: type[GenerationError] = GenerationError) -> set[type[GenerationError]]:
    return {kind}.union(*(_all_errors(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__))


def test_the_table_names_every_error() -> None:
    assert set(TABLE) == _all_errors()


@pytest.mark.parametrize("is_paid", [False, True])
@pytest.mark.parametrize("kind", TABLE)
def test_every_error_has_its_decision(kind: type[GenerationError], is_paid: bool) -> None:
    with_other, alone = TABLE[kind]
    policy = RetryPolicy()
    assert policy.decide(kind(), JOB, NOW, is_paid=is_paid) == with_other
    assert policy.decide(kind(), replace(JOB, candidates=("one",)), NOW, is_paid=is_paid) == alone
    assert policy.decide(kind(), replace(JOB, tried=("two",)), NOW, is_paid=is_paid) == alone


@pytest.mark.parametrize("kind", [kind for kind in TABLE if issubclass(kind, errors.BackendError)])
def test_a_paid_request_that_may_have_run_is_never_sent_again(kind: type[errors.BackendError]) -> None:
    error = kind(may_have_run=True)
    assert RetryPolicy().decide(error, JOB, NOW, is_paid=True) == STOP
    assert RetryPolicy().decide(error, JOB, NOW, is_paid=False) == TABLE[kind][0]


def test_the_waits_double_up_to_the_longest_and_the_attempts_end() -> None:
    alone = replace(JOB, candidates=("one",))
    policy = RetryPolicy(max_attempts=8)
    waits = [policy.decide(BackendUnavailable(), replace(alone, attempt=n), NOW) for n in range(1, 9)]
    assert waits[:-1] == [Again(after_s=min(RETRY_MAX_S, RETRY_BASE_S * 2**n)) for n in range(7)]
    assert waits[-1] == STOP
    assert RetryPolicy().decide(BackendUnavailable(), replace(alone, attempt=MAX_ATTEMPTS), NOW) == STOP


def test_what_the_request_itself_may_break_is_drawn_once_more_at_most() -> None:
    alone, unclear = replace(JOB, candidates=("one",)), BackendUnavailable(max_attempts=2)
    assert RetryPolicy().decide(unclear, alone, NOW) == LATER
    assert RetryPolicy().decide(unclear, replace(alone, attempt=2), NOW) == STOP
    assert RetryPolicy(max_attempts=1).decide(unclear, alone, NOW) == STOP


def test_an_engines_own_waiting_time_is_kept() -> None:
    alone = replace(JOB, candidates=("one",))
    assert RetryPolicy().decide(BackendUnavailable(retry_after=7), alone, NOW) == Again(after_s=7)


def test_a_rate_limit_with_a_time_costs_no_attempt_and_one_without_does() -> None:
    policy = RetryPolicy()
    last = replace(JOB, attempt=MAX_ATTEMPTS)
    assert policy.decide(RateLimited(retry_after=7), last, NOW) == Again(after_s=7, costs_attempt=False)
    assert policy.decide(RateLimited(), JOB, NOW) == Again(after_s=RETRY_BASE_S, costs_attempt=True)


def test_a_rate_limit_that_gives_no_time_does_not_go_on_for_ever() -> None:
    policy = RetryPolicy()
    assert policy.decide(RateLimited(), replace(JOB, attempt=MAX_ATTEMPTS), NOW) == MOVE
    alone = replace(JOB, attempt=MAX_ATTEMPTS, candidates=("one",))
    assert policy.decide(RateLimited(), alone, NOW) == STOP


def _gone(attempt: int = 1, *, may_have_run: bool = False, away_s: float | None = None) -> Decision:
    since = None if away_s is None else NOW - timedelta(seconds=away_s)
    job = replace(JOB, candidates=("one",), attempt=attempt, away_since=since)
    return RetryPolicy(patience_s=60).decide(BackendGone(may_have_run=may_have_run), job, NOW)


def test_a_job_waits_for_an_engine_that_is_gone_until_its_patience_ends() -> None:
    assert _gone(attempt=MAX_ATTEMPTS) == Await(costs_attempt=False)
    assert _gone(away_s=59.9) == Await(costs_attempt=False)
    assert _gone(away_s=60) == GiveUp(has_waited=True)


def test_a_job_that_may_have_brought_its_engine_down_costs_an_attempt_each_time() -> None:
    assert _gone(may_have_run=True) == Await(costs_attempt=True)
    assert _gone(attempt=MAX_ATTEMPTS, may_have_run=True) == STOP


def test_without_patience_an_engine_that_is_gone_is_tried_like_one_that_fails() -> None:
    impatient, alone = RetryPolicy(patience_s=0), replace(JOB, candidates=("one",))
    assert impatient.decide(BackendGone(), alone, NOW) == LATER
    assert impatient.decide(BackendGone(), replace(alone, attempt=MAX_ATTEMPTS), NOW) == STOP
