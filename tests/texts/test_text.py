"""`_()`: English with named values, kept so that whoever shows it can render it in another language."""

import copy
import gettext
import json
import pickle

import pytest

from generation.errors import LimitReached, RequestRejected
from generation.foreign import clean_line
from generation.job import JobError
from store.job_rows import _read_error, error_text
from tests.texts.pseudo import PseudoCatalog
from texts.text import Text, _, _n, english, joined, reading, render, text_from_json, text_to_json


def test_text_is_the_english_sentence_with_its_values() -> None:
    text = _("{name} takes {size:.1f} MB, {{like this}}.", name="box", size=2)
    assert text == "box takes 2.0 MB, {like this}."
    assert (text.template, text.values) == ("{name} takes {size:.1f} MB, {{like this}}.", {"name": "box", "size": 2})


@pytest.mark.parametrize(
    ("template", "values"), [("{name}", {}), ("plain", {"name": 1}), ("{name.upper}", {"name": "x"}), ("{0}", {"0": 1})]
)
def test_template_and_values_that_do_not_fit_are_refused(template: str, values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"does not fit|a field is"):
        _(template, **values)


def test_number_chooses_its_form() -> None:
    assert [_n("{count} picture", "{count} pictures", count=n) for n in (0, 1, 2)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
    ]


def test_text_made_earlier_is_rendered_for_its_reader_with_the_texts_inside_it() -> None:
    text = _("{waiting}. {why:phrase}!", waiting=_n("{count} waits", "{count} wait", count=2), why=_("It is full."))
    with reading(PseudoCatalog()):
        assert render(text) == f"{text}" == str(text) == "⟦2 wait⟧. ⟦It is full.⟧!"
        assert english(text) == "2 wait. It is full!"
        assert render("what somebody typed") == "what somebody typed"
    assert render(text) == "2 wait. It is full!"


def test_text_made_where_it_is_read_is_in_that_language_at_once() -> None:
    with reading(PseudoCatalog()):
        lines = "\n".join([_("One."), _("Two.")])
        text = _("Kept.")
    assert lines == "⟦One.⟧\n⟦Two.⟧"
    assert (render(text), english(text)) == ("Kept.", "Kept.")


def test_joined_texts_stay_translatable() -> None:
    text = joined("; ", [_("One {{x}}"), "{of others}"])
    assert text == "One {x}; {of others}"
    with reading(PseudoCatalog()):
        assert render(text) == "⟦One {x}⟧; {of others}"


def test_standard_catalog_of_gettext_is_one(tmp_path) -> None:
    class German(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return {"{name} is full.": "{name} ist voll.", "Wrong {name}.": "Falsch: {nam}."}.get(message, message)

    with reading(German()):
        assert _("{name} is full.", name="Die Schlange") == "Die Schlange ist voll."
        assert _("Wrong {name}.", name="x") == "Wrong x."  # a translation that asks for another value
        assert _("Untranslated.") == "Untranslated."


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_copies_keep_what_they_are_made_of(again) -> None:
    copied = again(_n("{count} of {name}", "{count} of {name}s", count=3, name="x"))
    assert (copied, copied.template, copied.values["count"]) == ("3 of xs", "{count} of {name}", 3)


def test_stored_text_is_translatable_when_it_is_read() -> None:
    text = _("{inner} {n:.0f}", inner=_n("{count} waits", "{count} wait", count=2), n=1.0)
    read = text_from_json(json.loads(json.dumps(text_to_json(text))))
    with reading(PseudoCatalog()):
        assert render(read) == "⟦2 wait⟧ 1"
    assert text_from_json("plain, of an older version") == "plain, of an older version"
    assert text_from_json({"text": "of a newer version", "template": "{", "values": {}}) == "of a newer version"


def test_error_keeps_its_text_and_cleans_what_others_made_up() -> None:
    error = RequestRejected(_("{name} is not here.", name="a\x1b[31mb\0"), hint=_("Take another."))
    assert error.user_message == "ab\ufffd is not here."
    assert isinstance(error.user_message, Text)
    with reading(PseudoCatalog()):
        assert (render(error.user_message), render(error.hint)) == ("⟦ab\ufffd is not here.⟧", "⟦Take another.⟧")
        assert render(LimitReached().user_message) == "⟦Too much at once. Please try again in a moment.⟧"


def test_text_that_is_too_long_becomes_a_plain_one() -> None:
    line = clean_line(_("{words} are here.", words="x" * 2000))
    assert len(line) == 1000
    assert not isinstance(line, Text)


def test_error_of_a_job_survives_the_store_with_its_english_words_beside_it() -> None:
    stored = error_text(JobError(code="x", user_message=_("{name} is full.", name="box"), hint=_("Wait.")))
    assert stored is not None
    assert json.loads(stored)["user_message"] == "box is full."
    read = _read_error(stored)
    assert read is not None
    with reading(PseudoCatalog()):
        assert (render(read.user_message), render(read.hint)) == ("⟦box is full.⟧", "⟦Wait.⟧")
    assert _read_error('{"code": "x", "user_message": "As it was."}') == JobError(code="x", user_message="As it was.")
