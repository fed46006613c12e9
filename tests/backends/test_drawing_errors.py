"""A failed picture in words: whose they are, and what would help."""

import pytest

from backends.drawing_errors import drawing_error
from generation.errors import BackendError, BackendUnavailable, GenerationError, RequestRejected


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("UniPC order must be < sampling steps", RequestRejected, "--steps or --sampler"),
        ("height has to be divisible by 8", RequestRejected, "--size"),
        ("Expected all tensors to be on the same device", BackendError, "fail again"),
        ("CUDA error: unspecified launch failure", BackendUnavailable, "Run it again"),
        ("", BackendError, "Change the settings"),
    ],
)
def test_a_failure_says_whose_words_they_are_and_what_would_help(
    text: str, kind: type[GenerationError], hint: str
) -> None:
    error = drawing_error("Forge", text)
    assert type(error) is kind
    assert "Forge says: " in error.user_message or not text
    assert hint in error.hint
    assert bool(error.owner_hint) is not bool(text), "only its log says why"
    if kind is not BackendUnavailable:
        assert "again" not in error.hint.casefold() or "fail again" in error.hint
        assert not error.retryable
