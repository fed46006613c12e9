"""Words of a model carry nothing that Easel would obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constants import MAX_PROMPT_CHARS
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from services.wording.cleaning import clean_prompt, clean_tags


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a fox --steps 150 in snow", "a fox steps 150 in snow"),
        ("a fox —no snow", "a fox no snow"),
        ("--private a fox", "private a fox"),
        ("a fox https://evil.example/x.png in snow", "a fox in snow"),
        ("a {red|blue} fox", "a (red,blue) fox"),
        ("a __colour__ fox", "a colour fox"),
        ("a fox <lora:evil:2>", "a fox"),
        ("@everyone a fox", "everyone a fox"),
        ('"a fox"', "a fox"),
        ("a fox\n\nin snow\u202e", "a fox in snow"),
        ("a well-lit (fox:1.3), f/1.8 - 85mm", "a well-lit (fox:1.3), f/1.8 - 85mm"),
    ],
)
def test_only_words_are_left(written, expected):
    assert clean_prompt(written) == expected


def test_tags_stay_where_the_given_prompt_has_them():
    assert clean_prompt("a fox <lora:ink:0.8> <lora:x>", "fox <lora:ink:0.8>") == "a fox <lora:ink:0.8>"


@given(st.text(alphabet="ab-—{}|<>_:/ \n@`x.h", max_size=80))
def test_nothing_of_it_is_read_as_an_option(written):
    cleaned = clean_prompt(written)
    assert "\n" not in cleaned
    if cleaned:
        parsed = parse_prompt(cleaned)
        assert parsed.draft == Draft(prompt=parsed.draft.prompt)
        assert not parsed.pictures
        assert not parsed.others


def test_a_prompt_is_cut_to_what_may_be_drawn():
    assert len(clean_prompt("fox " * 5000)) <= MAX_PROMPT_CHARS


def test_tags_are_short_words_and_few():
    assert clean_tags(["Fox", "fox ", "#snow.", "x" * 90, *map(str, range(30))])[:2] == ("fox", "snow")
    assert len(clean_tags(map(str, range(30)))) == 12
