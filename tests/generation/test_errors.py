"""The error tree: every error explains itself."""

import pytest

from generation import errors
from generation.errors import BackendError, GenerationError, RateLimited, RequestRejected


def _tree(error: type[GenerationError]) -> list[type[GenerationError]]:
    return [error, *(leaf for child in error.__subclasses__() for leaf in _tree(child))]


ERRORS = [error for error in _tree(GenerationError) if error.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_sentence_for_people_and_stands_in_the_drawn_tree(error):
    message = error().user_message
    assert message.endswith(".")
    assert "\n" not in message
    assert error.__name__ in (errors.__doc__ or "")


def test_codes_are_unique_and_a_kind_without_its_own_has_its_parent_s():
    codes = [error.code for error in ERRORS if "code" in vars(error)]
    assert len(codes) == len(set(codes))


def test_detail_is_for_the_log_only():
    error = BackendError("The engine failed.", detail="HTTP 500", may_have_run=True)
    assert error.user_message == "The engine failed."
    assert "HTTP 500" in str(error)
    assert error.may_have_run


def test_only_passing_failures_of_a_backend_are_retryable():
    assert {error.code for error in ERRORS if error.retryable} == {"backend_unavailable", "rate_limited"}


def test_errors_carry_what_their_catcher_needs():
    assert RateLimited(retry_after=3.5).retry_after == 3.5
    rejected = RequestRejected("No.", field="steps", hint="--steps 20")
    assert (rejected.field, rejected.hint, rejected.user_message) == ("steps", "--steps 20", "No.")
