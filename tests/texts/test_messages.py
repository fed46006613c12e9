"""texts/messages.txt holds every sentence that people read, so that each change of words shows in a review."""

from scripts.write_messages import PLACE, written


def test_list_of_messages_is_that_of_the_code() -> None:
    assert PLACE.read_text(encoding="utf-8") == written(), "run: python -m scripts.write_messages"
